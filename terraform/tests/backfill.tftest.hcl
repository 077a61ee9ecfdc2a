# The existing data of a stream: who may read an export, what the function and the state machine may do, and what is refused.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_kms_key.data
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/data" }
}

override_resource {
  target = aws_s3_bucket.exports["exports"]
  values = { arn = "arn:aws:s3:::the-exports" }
}

override_resource {
  target = aws_s3_bucket.this["events"]
  values = { arn = "arn:aws:s3:::the-events" }
}

override_resource {
  target = aws_s3_bucket.this["audit"]
  values = { arn = "arn:aws:s3:::the-audit" }
}

override_resource {
  target = aws_s3_bucket.this["quarantine"]
  values = { arn = "arn:aws:s3:::the-quarantine" }
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    cards = { package = "versions.tf", table = { hash_key = "card_id" } }
    home-loans = {
      policy     = "loans"
      package    = "versions.tf"
      stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
    }
  }
  backfills    = { cards = { files_at_once = 7, reserved_concurrency = 9 } }
  exports_days = 2
}

run "exports_are_read_by_the_function_alone_and_gone_in_days" {
  assert {
    condition = one([
      for s in data.aws_iam_policy_document.exports["exports"].statement :
      [s.effect, s.actions, s.resources, one(s.condition).test, one(s.condition).variable, one(s.condition).values] if s.sid == "ReadByBackfillOnly"
      ]) == [
      "Deny", toset(["s3:GetObject*"]), toset(["arn:aws:s3:::the-exports/AWSDynamoDB/*/data/*"]), "ArnNotEquals", "aws:PrincipalArn",
      tolist(["arn:aws:iam::123456789012:role/tidegate-test-cards-backfill"]),
    ]
    error_message = "Somebody besides the function can read raw records in exports."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.exports["exports"].rule).expiration[0].days == 2
    error_message = "Exports must expire after exports_days."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.exports["exports"].rule).apply_server_side_encryption_by_default).kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/data"
    error_message = "Exports must be encrypted with the data key."
  }

  assert {
    condition = one([
      for s in data.aws_iam_policy_document.boundary.statement : s.resources if s.sid == "ReadExports"
    ]) == toset(["arn:aws:s3:::tidegate-test-exports-123456789012/AWSDynamoDB/*/data/*"])
    error_message = "The boundary lets functions read something else of exports than their data."
  }
}

run "who_starts_a_backfill_reads_no_record" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.backfiller["exports"].statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      FindBackfill = [
        ["lambda:GetFunctionConfiguration"],
        ["arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-cards-backfill:live"],
      ]
      ExportTables = [
        ["dynamodb:DescribeTable", "dynamodb:ExportTableToPointInTime"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/tidegate-test-cards"],
      ]
      FollowExports = [
        ["dynamodb:DescribeExport"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/tidegate-test-cards/export/*"],
      ]
      WriteExports = [
        ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
        ["arn:aws:s3:::the-exports/AWSDynamoDB/*"],
      ]
      ReadSummariesAndResults = [
        ["s3:GetObject"],
        ["arn:aws:s3:::the-exports/AWSDynamoDB/*/manifest-summary.json", "arn:aws:s3:::the-exports/results/*"],
      ]
      Start = [
        ["states:ListExecutions", "states:StartExecution"],
        ["arn:aws:states:eu-west-1:123456789012:stateMachine:tidegate-test-cards-backfill"],
      ]
      Follow = [
        ["states:DescribeExecution", "states:ListMapRuns"],
        ["arn:aws:states:eu-west-1:123456789012:execution:tidegate-test-cards-backfill:*"],
      ]
      Count = [
        ["states:DescribeMapRun"],
        ["arn:aws:states:eu-west-1:123456789012:mapRun:tidegate-test-cards-backfill/*"],
      ]
      UseBucket = [
        ["kms:Decrypt", "kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
    })
    error_message = "The backfiller's powers changed: ${jsonencode({ for s in data.aws_iam_policy_document.backfiller["exports"].statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }
}

run "without_a_backfill_there_is_nothing" {
  command = plan

  variables {
    backfills = {}
  }

  assert {
    condition     = length(module.backfill) == 0 && length(aws_s3_bucket.exports) == 0 && length(aws_iam_policy.backfiller) == 0
    error_message = "Something is made for no backfill."
  }
}

run "an_unknown_stream_is_refused" {
  command = plan

  variables {
    backfills = { coupons = {} }
  }

  expect_failures = [var.backfills]
}

run "exports_that_outlive_the_ledger_are_refused" {
  command = plan

  variables {
    exports_days = 22
  }

  expect_failures = [aws_s3_bucket.exports]
}
