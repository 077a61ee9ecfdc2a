# A table that was there before: looked at, never touched, and read only by a stream that has what the gate needs.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    loans = {
      package        = "versions.tf"
      stream_arn     = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
      source_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/source"
    }
  }
}

run "nothing_of_it_is_made_here" {
  command = plan

  assert {
    condition     = length(aws_dynamodb_table.source) == 0 && data.aws_dynamodb_table.existing["loans"].name == "loans"
    error_message = "A table that exists must be looked at and left alone."
  }

  assert {
    condition     = output.streams["loans"].stream_arn == var.streams["loans"].stream_arn && output.streams["loans"].source_table == "loans"
    error_message = "It must be read by the stream that was given."
  }
}

run "a_stream_that_shows_keys_alone" {
  command = plan

  override_data {
    target = data.aws_dynamodb_table.existing
    values = {
      stream_arn       = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
      stream_view_type = "KEYS_ONLY"
    }
  }

  expect_failures = [data.aws_dynamodb_table.existing]
}

run "a_stream_that_was_switched_off_and_on_again" {
  command = plan

  override_data {
    target = data.aws_dynamodb_table.existing
    values = {
      stream_arn       = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-09-09T09:09:09.000"
      stream_view_type = "NEW_AND_OLD_IMAGES"
    }
  }

  expect_failures = [check.streams_are_the_latest]
}

run "a_stream_of_another_region" {
  command = plan

  variables {
    streams = { loans = { package = "versions.tf", stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000" } }
  }

  expect_failures = [var.streams]
}

run "the_alias_of_a_key" {
  command = plan

  variables {
    streams = {
      loans = {
        package        = "versions.tf"
        stream_arn     = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
        source_key_arn = "arn:aws:kms:eu-west-1:123456789012:alias/loans"
      }
    }
  }

  expect_failures = [var.streams]
}

run "a_key_of_a_table_that_is_made_here" {
  command = plan

  variables {
    streams = { loans = { package = "versions.tf", table = { hash_key = "id" }, source_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/source" } }
  }

  expect_failures = [var.streams]
}

run "two_streams_on_one_stream_of_a_table" {
  command = plan

  variables {
    streams = {
      loans = { package = "versions.tf", stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000" }
      again = { policy = "cards", package = "versions.tf", stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000" }
    }
  }

  assert {
    condition     = length(module.stream) == 2
    error_message = "Two policies may read one table: DynamoDB serves two readers of a shard."
  }
}
