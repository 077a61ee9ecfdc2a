# What who replays may do: open the quarantine, read the streams, call the functions; and neither write an event nor make a token.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_dynamodb_table.ledger
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger" }
}

override_resource {
  target = aws_kms_key.audit
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/audit" }
}

override_resource {
  target = aws_kms_key.data
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/data" }
}

override_resource {
  target = aws_s3_bucket.this["audit"]
  values = { arn = "arn:aws:s3:::the-audit" }
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    cards   = { package = "versions.tf", table = { hash_key = "card_id" } }
    members = { package = "versions.tf", table = { name = "people", hash_key = "member_id" } }
    home-loans = {
      policy         = "loans"
      package        = "versions.tf"
      stream_arn     = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
      source_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/loans"
    }
  }
}

run "who_replays_opens_the_quarantine_and_calls_the_functions" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.replayer.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      SendRecords = [
        ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
        [
          for name in ["cards", "home-loans", "members"] :
          "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-${name}:live"
        ],
      ]
      SeeMappings    = [["lambda:ListEventSourceMappings"], ["*"]]
      ListQuarantine = [["s3:ListBucket"], ["arn:aws:s3:::tidegate-test-quarantine-123456789012"]]
      ReadQuarantine = [["s3:GetObject"], ["arn:aws:s3:::tidegate-test-quarantine-123456789012/quarantine/*"]]
      MarkReplayed   = [["s3:PutObject"], ["arn:aws:s3:::tidegate-test-quarantine-123456789012/quarantine/*.replayed"]]
      OpenQuarantine = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:123456789012:key/data"]]
      TakeFailures = [
        ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
        [for name in ["cards", "home-loans", "members"] : "arn:aws:sqs:eu-west-1:123456789012:tidegate-test-${name}-failures"],
      ]
      ReadStreams = [
        ["dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        [for table in ["loans", "people", "tidegate-test-cards"] : "arn:aws:dynamodb:eu-west-1:123456789012:table/${table}/stream/*"],
      ]
      ListPolicies             = [["s3:ListBucket"], ["arn:aws:s3:::the-audit"]]
      ReadPolicies             = [["s3:GetObject"], ["arn:aws:s3:::the-audit/policies/*"]]
      KeepExportIds            = [["dynamodb:GetItem", "dynamodb:PutItem"], ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"]]
      UseTableQueuesAndBuckets = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:123456789012:key/data"]]
      OpenAudit                = [["kms:Decrypt"], ["arn:aws:kms:eu-west-1:123456789012:key/audit"]]
      DecryptStreams           = [["kms:Decrypt"], ["arn:aws:kms:eu-west-1:123456789012:key/loans"]]
    })
    error_message = "The powers of who replays changed: ${jsonencode({ for s in data.aws_iam_policy_document.replayer.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.replayer.statement : s.sid => [for c in s.condition : [c.test, c.variable, sort(c.values)]] if length(s.condition) > 0
      }) == jsonencode({
      ListQuarantine           = [["StringLike", "s3:prefix", ["quarantine/*"]]]
      OpenQuarantine           = [["StringEquals", "kms:EncryptionContext:purpose", ["tidegate.quarantine"]]]
      ListPolicies             = [["StringLike", "s3:prefix", ["policies/*"]]]
      KeepExportIds            = [["ForAllValues:StringLike", "dynamodb:LeadingKeys", ["replays/*"]]]
      UseTableQueuesAndBuckets = [["StringEquals", "kms:ViaService", [for service in ["dynamodb", "s3", "sqs"] : "${service}.eu-west-1.amazonaws.com"]]]
      OpenAudit                = [["StringEquals", "kms:ViaService", ["s3.eu-west-1.amazonaws.com"]]]
      DecryptStreams           = [["StringEquals", "kms:ViaService", ["dynamodb.eu-west-1.amazonaws.com"]]]
    })
    error_message = "Who replays must open the quarantine and no encrypted value, and see neither intents nor chains nor rates."
  }

  assert {
    condition     = aws_iam_policy.replayer.name == "tidegate-test-replayer" && aws_iam_policy.replayer.policy == data.aws_iam_policy_document.replayer.json && output.replayer_policy_arn == aws_iam_policy.replayer.arn
    error_message = "The policy tested above must be there to attach."
  }
}

run "names_by_convention_are_those_of_what_is_there" {
  assert {
    condition     = local.replay.quarantine == "arn:aws:s3:::${aws_s3_bucket.this["quarantine"].bucket}"
    error_message = "The quarantine bucket is named otherwise than the policy for who replays says."
  }

  assert {
    condition     = { for name, table in aws_dynamodb_table.source : name => table.name } == { cards = "tidegate-test-cards", members = "people" }
    error_message = "The source tables are named otherwise than the policy for who replays says."
  }

  assert {
    condition     = alltrue([for name, stream in module.stream : stream.function_name == "tidegate-test-${name}"])
    error_message = "The functions are named otherwise than the policy for who replays says."
  }
}

run "a_stream_without_a_key_of_its_own_needs_no_power_over_one" {
  variables {
    streams = {
      cards = { package = "versions.tf", table = { hash_key = "card_id" } }
    }
  }

  assert {
    condition     = !contains([for s in data.aws_iam_policy_document.replayer.statement : s.sid], "DecryptStreams")
    error_message = "No key of a table is in use, so none may be used."
  }
}
