# The function and the state machine of a backfill.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name     = "tidegate-test-cards-backfill"
  stream   = "tidegate-test-cards"
  policy   = "cards"
  boundary = "arn:aws:iam::123456789012:policy/the-boundary"

  table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards"
  exports   = { name = "the-exports", arn = "arn:aws:s3:::the-exports" }

  package              = "versions.tf" # any file: Terraform only hashes it
  runtime              = "python3.13"
  architecture         = "arm64"
  memory_mb            = 1769
  files_at_once        = 7
  reserved_concurrency = 9
  tracing              = "Active"
  log_retention_days   = 60

  buckets = {
    events     = { name = "the-events", arn = "arn:aws:s3:::the-events" }
    audit      = { name = "the-audit", arn = "arn:aws:s3:::the-audit" }
    quarantine = { name = "the-quarantine", arn = "arn:aws:s3:::the-quarantine" }
  }
  alerts_topic_arn = "arn:aws:sns:eu-west-1:123456789012:alerts"
  ledger           = { name = "the-ledger", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger" }
  subjects         = { name = "the-subjects", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects" }
  profiles_table   = "the-profiles"
  subject_cache_s  = 60
  by_subject       = true
  data_key_arn     = "arn:aws:kms:eu-west-1:123456789012:key/data"
  audit_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/audit"
  token_key_arns   = { 1 = "arn:aws:kms:eu-west-1:123456789012:key/token-1" }
  alarm_topic_arns = []
  runbook_url      = "docs/runbook.md"
  after            = []
}

run "the_function_reads_exports_and_writes_events_of_backfills" {
  module {
    source = "./modules/backfill"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.role.statement : s.sid => [sort(s.actions), sort(s.resources)] if !contains(["WriteLog", "Trace"], s.sid)
      }) == jsonencode({
      ReadExports         = [["s3:GetObject"], ["arn:aws:s3:::the-exports/AWSDynamoDB/*/data/*"]]
      KeepLedger          = [["dynamodb:PutItem", "dynamodb:Query"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"]]
      KeepSubjects        = [["dynamodb:BatchGetItem", "dynamodb:PutItem"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"]]
      DeriveTokenKeys     = [["kms:GenerateMac"], ["arn:aws:kms:eu-west-1:123456789012:key/token-1"]]
      WriteEvents         = [["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::the-events/events/cards/dt=*/hour=*/backfill=*"]]
      KeepChains          = [["dynamodb:PutItem"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"]]
      EncryptWhatItWrites = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:123456789012:key/data"]]
      SealAudit           = [["kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:123456789012:key/audit"]]
      Seal                = [["kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:123456789012:key/data"]]
      WriteAuditAndQuarantine = [
        ["s3:PutObject"],
        [
          "arn:aws:s3:::the-audit/manifests/cards/dt=*/backfill=*", "arn:aws:s3:::the-audit/policies/cards/*",
          "arn:aws:s3:::the-quarantine/quarantine/cards/*",
        ],
      ]
    })
    error_message = "The function's powers changed: ${jsonencode({ for s in data.aws_iam_policy_document.role.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition     = aws_lambda_function.this.handler == "processor.backfill.handler" && aws_lambda_function.this.reserved_concurrent_executions == 9
    error_message = "The function is not the backfill's, or not bounded."
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/the-boundary" && aws_iam_role.runner.permissions_boundary == aws_iam_policy.runner_boundary.arn
    error_message = "A role is without its boundary."
  }
}

run "the_state_machine_forgives_nothing_and_calls_one_function" {
  module {
    source = "./modules/backfill"
  }

  assert {
    condition = alltrue([
      local.definition.States.EachFile.ToleratedFailurePercentage == 0,
      local.definition.States.EachFile.MaxConcurrency == 7,
      local.definition.States.EachFile.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED",
      local.definition.States.EachFile.ItemReader.ReaderConfig.InputType == "JSONL",
      local.file_states.Bring.Parameters.FunctionName == "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-cards-backfill:live",
    ])
    error_message = "The definition changed: ${jsonencode(local.definition)}"
  }

  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.runner.statement : !contains(s.actions, "s3:GetObject") || alltrue([
        for r in s.resources : contains(["arn:aws:s3:::the-exports/AWSDynamoDB/*/manifest-files.json", "arn:aws:s3:::the-exports/results/*"], r)
      ])
    ])
    error_message = "The state machine can read more than manifests and results."
  }

  assert {
    condition     = one(aws_sfn_state_machine.this.logging_configuration).include_execution_data == false && one(aws_sfn_state_machine.this.tracing_configuration).enabled
    error_message = "Logs must be without data, and executions traced."
  }
}
