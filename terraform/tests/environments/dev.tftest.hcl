# Run with the variables of dev: cheap, and it forgets.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "dev_is_cheap_and_forgets" {
  command = plan

  assert {
    condition     = jsonencode(sort(keys(module.stream))) == jsonencode(["customers", "payments"]) && jsonencode(sort(keys(aws_dynamodb_table.source))) == jsonencode(["customers", "payments"])
    error_message = "Both sample streams must be there, each on a table of its own."
  }

  assert {
    condition     = !anytrue([for table in concat(values(aws_dynamodb_table.source), [aws_dynamodb_table.ledger, aws_dynamodb_table.subjects]) : table.deletion_protection_enabled]) && alltrue([for bucket in aws_s3_bucket.this : bucket.force_destroy])
    error_message = "A destroy must leave nothing of dev."
  }

  assert {
    condition     = !aws_dynamodb_table.subjects.point_in_time_recovery[0].enabled && aws_kms_key.data.deletion_window_in_days == 7
    error_message = "What is destroyed in dev must be gone soon."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].mode == "GOVERNANCE"
    error_message = "Or dev could not be taken down for years."
  }

  assert {
    condition     = alltrue([for name, stream in var.streams : stream.reserved_concurrency == -1 && stream.provisioned_concurrency == 0])
    error_message = "Nothing may be paid for by the hour, nor be reserved of a new account's quota."
  }
}
