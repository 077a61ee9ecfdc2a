# Run with the variables of staging: production in small.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "staging_is_protected_as_production_is" {
  command = plan

  assert {
    condition     = jsonencode(sort(keys(module.stream))) == jsonencode(["customers", "payments"])
    error_message = "Both sample streams must be there, as in production."
  }

  assert {
    condition     = alltrue([for table in concat(values(aws_dynamodb_table.source), [aws_dynamodb_table.ledger, aws_dynamodb_table.subjects]) : table.deletion_protection_enabled && table.point_in_time_recovery[0].enabled]) && !anytrue([for bucket in aws_s3_bucket.this : bucket.force_destroy])
    error_message = "What works here must work there: deletion protection and recovery."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].mode == "GOVERNANCE"
    error_message = "The lock must be one that can be lifted: staging is for rehearsals."
  }

  assert {
    condition     = aws_kms_key.data.deletion_window_in_days == 30 && aws_dynamodb_table.subjects.point_in_time_recovery[0].recovery_period_in_days == 7
    error_message = "Keys and secrets must be as recoverable as in production."
  }
}
