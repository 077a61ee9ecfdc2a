# Run with the variables of prod: locks, and somebody who is woken.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_data {
  target = data.aws_dynamodb_table.existing
  values = {
    stream_arn       = "arn:aws:dynamodb:eu-west-1:333333333333:table/customers/stream/2026-01-01T00:00:00.000"
    stream_view_type = "NEW_AND_OLD_IMAGES"
  }
}

run "prod_has_locks" {
  command = plan

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].mode == "COMPLIANCE"
    error_message = "Nobody may be able to delete a manifest of production."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].days == 2557
    error_message = "A second policy must not shorten the lock: manifests are locked for the shortest audit retention."
  }

  assert {
    condition     = alltrue([for table in concat(values(aws_dynamodb_table.source), [aws_dynamodb_table.ledger, aws_dynamodb_table.profiles, aws_dynamodb_table.subjects]) : table.deletion_protection_enabled]) && !anytrue([for bucket in aws_s3_bucket.this : bucket.force_destroy])
    error_message = "Neither a table nor a bucket may go with a destroy."
  }

  assert {
    condition     = aws_kms_key.data.deletion_window_in_days == 30 && alltrue([for key in aws_kms_key.token : key.deletion_window_in_days == 30])
    error_message = "A deleted key must be recoverable for as long as AWS allows."
  }
}

run "prod_wakes_somebody_and_stays_at_home" {
  command = plan

  assert {
    condition     = length(var.alarm_topic_arns) > 0
    error_message = "An alarm that nobody hears is none."
  }

  assert {
    condition     = length(coalesce(var.allowed_account_ids, [])) > 0
    error_message = "prod must name its account, so that it is never applied to another."
  }

  assert {
    condition     = jsonencode(output.data_residency) == jsonencode([var.region])
    error_message = "Where the data may lie must be said."
  }
}

run "prod_keeps_room_for_its_streams" {
  command = plan

  assert {
    condition     = alltrue([for name, stream in var.streams : stream.reserved_concurrency >= stream.parallelization_factor])
    error_message = "No other function of the account may starve a stream, and a shard must have all its lanes."
  }

  assert {
    condition     = jsonencode(keys(aws_dynamodb_table.source)) == jsonencode(["payments"]) && output.streams["customers"].source_table == "customers"
    error_message = "One stream must be of a table that is made here, the other of one that was there before."
  }
}
