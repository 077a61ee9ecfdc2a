# Kinesis Data Streams for DynamoDB as the source: made here, prepared beside the table's own stream, or there before.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    cards = {
      package = "versions.tf"
      source  = "kinesis"
      table   = { hash_key = "card_id" }
      filters = [jsonencode({ eventName = ["INSERT"] })]
    }
    loans = { package = "versions.tf", table = { hash_key = "loan_id" }, kinesis = { retention_hours = 72 } }
    members = {
      package          = "versions.tf"
      source           = "kinesis"
      stream_arn       = "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs"
      source_table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/members"
      source_key_arn   = "arn:aws:kms:eu-west-1:123456789012:key/theirs"
      kinesis          = { start_at = "2026-11-23T21:00:00Z" }
    }
  }
}

run "a_data_stream_is_made_encrypted_and_fed_to_the_microsecond" {
  assert {
    condition     = toset(keys(aws_kinesis_stream.source)) == toset(["cards", "loans"])
    error_message = "One for each table that is made here with the source kinesis, or with kinesis beside its own stream."
  }

  assert {
    condition = alltrue([
      for stream in aws_kinesis_stream.source :
      stream.encryption_type == "KMS" && stream.kms_key_id == aws_kms_key.data.arn && stream.stream_mode_details[0].stream_mode == "ON_DEMAND"
    ])
    error_message = "Raw records lie in it: encrypted with the data key. As many shards as it takes."
  }

  assert {
    condition     = { for name, stream in aws_kinesis_stream.source : name => stream.retention_period } == { cards = 24, loans = 72 }
    error_message = "It keeps records as long as said, a day if nothing is."
  }

  assert {
    condition     = alltrue([for one in aws_dynamodb_kinesis_streaming_destination.source : one.approximate_creation_date_time_precision == "MICROSECOND"])
    error_message = "The order of an item's changes is known by their times alone."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.source : table.stream_enabled])
    error_message = "The table keeps its own stream, to switch back to."
  }

  assert {
    condition     = length(data.aws_dynamodb_table.existing) == 0
    error_message = "Of who has a data stream the table is not looked at."
  }

  assert {
    condition = { for name, stream in output.streams : name => [stream.source, stream.source_table] } == {
      cards = ["kinesis", "tidegate-test-cards"], loans = ["dynamodb", "tidegate-test-loans"], members = ["kinesis", "members"]
    }
    error_message = "The outputs must say whose changes come which way."
  }

  assert {
    condition = { for name, stream in output.streams : name => stream.data_stream } == {
      cards   = { arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/tidegate-test-cards", retention_hours = 24 }
      loans   = { arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/tidegate-test-loans", retention_hours = 72 }
      members = { arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs", retention_hours = null }
    }
    error_message = "The records of processing say from this where raw records lie, and for how long."
  }

  assert {
    condition     = strcontains(output.streams["loans"].stream_arn, ":dynamodb:") && strcontains(output.streams["cards"].stream_arn, ":kinesis:")
    error_message = "Beside the source dynamodb the data stream is prepared, not read."
  }

  assert {
    condition = alltrue([
      for document in [data.aws_iam_policy_document.replayer, data.aws_iam_policy_document.boundary] : anytrue([
        for s in document.statement : s.sid == "ReadKinesis" && toset(s.resources) == toset([
          "arn:aws:kinesis:eu-west-1:123456789012:stream/tidegate-test-cards", "arn:aws:kinesis:eu-west-1:123456789012:stream/tidegate-test-loans",
          "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs",
        ])
      ])
    ])
    error_message = "The boundary and who replays reach these data streams, and no other."
  }

  assert {
    condition = anytrue([
      for s in data.aws_iam_policy_document.data_key.statement : s.sid == "UseThroughServices" &&
      contains(flatten([for c in s.condition : c.values]), "kinesis.eu-west-1.amazonaws.com")
    ])
    error_message = "DynamoDB's and the gate's roles use the data key through Kinesis."
  }
}

run "nothing_of_kinesis_is_where_there_is_none" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "card_id" } } }
  }

  assert {
    condition = length(aws_kinesis_stream.source) == 0 && alltrue([
      for document in [data.aws_iam_policy_document.replayer, data.aws_iam_policy_document.boundary, data.aws_iam_policy_document.data_key] :
      alltrue([for s in document.statement : !strcontains(jsonencode(s), "kinesis")])
    ])
    error_message = "Who has no data stream grants nothing on one."
  }
}

run "a_source_that_there_is_not" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "card_id" }, source = "kafka" } }
  }

  expect_failures = [var.streams]
}

run "a_table_s_own_stream_for_a_data_stream" {
  command = plan

  variables {
    streams = {
      cards = {
        package          = "versions.tf"
        source           = "kinesis"
        stream_arn       = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards/stream/2026-01-01T00:00:00.000"
        source_table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards"
      }
    }
  }

  expect_failures = [var.streams]
}

run "a_data_stream_of_nobody_knows_whom" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", source = "kinesis", stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/theirs" } }
  }

  expect_failures = [var.streams]
}

run "a_data_stream_to_be_made_beside_a_table_of_others" {
  command = plan

  variables {
    streams = {
      loans = { package = "versions.tf", stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000", kinesis = {} }
    }
  }

  expect_failures = [var.streams]
}

run "a_retention_under_a_day" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "card_id" }, source = "kinesis", kinesis = { retention_hours = 12 } } }
  }

  expect_failures = [var.streams]
}

run "a_beginning_that_is_no_moment" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "card_id" }, source = "kinesis", kinesis = { start_at = "yesterday" } } }
  }

  expect_failures = [var.streams]
}
