# The two functions on people: what each may do, who may call it, and what it knows.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_dynamodb_table.ledger
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger" }
}

override_resource {
  target = aws_dynamodb_table.subjects
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects" }
}

override_resource {
  target = aws_kms_key.data
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/data" }
}

override_resource {
  target = aws_kms_key.receipts
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/receipts" }
}

override_resource {
  target = aws_kms_key.token["1"]
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/token-1" }
}

override_resource {
  target = aws_kms_key.token["2"]
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/token-2" }
}

override_resource {
  target = aws_s3_bucket.this["audit"]
  values = { arn = "arn:aws:s3:::the-audit" }
}

variables {
  environment        = "test"
  region             = "eu-west-1"
  policies_folder    = "tests/policies"
  access_package     = "versions.tf" # any file: Terraform only hashes it
  token_key_versions = [1, 2]

  streams = {
    cards   = { package = "versions.tf", table = { hash_key = "card_id" } }
    members = { package = "versions.tf", table = { hash_key = "member_id" } }
  }
}

run "detokenize_opens_what_is_brought_to_it_and_no_more" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.detokenize.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      DeriveTokenKeys = [
        ["kms:GenerateMac"],
        ["arn:aws:kms:eu-west-1:123456789012:key/token-1", "arn:aws:kms:eu-west-1:123456789012:key/token-2"],
      ]
      CountValues = [
        ["dynamodb:UpdateItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      ReadSecrets = [
        ["dynamodb:BatchGetItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      OpenEncryptedValues = [
        ["kms:Decrypt"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
      RecordAccess = [
        ["s3:PutObject"],
        ["arn:aws:s3:::the-audit/records/detokenize/*"],
      ]
      KeepChains = [
        ["dynamodb:PutItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      UseTablesAndBucket = [
        ["kms:Decrypt", "kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
      WriteLog = [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tidegate-test-detokenize:*"],
      ]
    })
    error_message = "The powers of detokenize changed: ${jsonencode({ for s in data.aws_iam_policy_document.detokenize.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.detokenize.statement : s.sid => [for c in s.condition : [c.test, c.variable, sort(c.values)]] if length(s.condition) > 0
      }) == jsonencode({
      DeriveTokenKeys     = [["StringEquals", "kms:MacAlgorithm", ["HMAC_SHA_512"]]]
      CountValues         = [["ForAllValues:StringLike", "dynamodb:LeadingKeys", ["rates/*"]]]
      OpenEncryptedValues = [["StringEquals", "kms:EncryptionContext:purpose", ["tidegate.encrypt"]]]
      KeepChains          = [["ForAllValues:StringEquals", "dynamodb:LeadingKeys", ["chains/detokenize"]]]
      UseTablesAndBucket  = [["StringEquals", "kms:ViaService", ["dynamodb.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]]]
    })
    error_message = "Detokenize must open encrypted values and not the quarantine, count rates and not intents, and write its own chain alone."
  }
}

run "erase_destroys_secrets_and_reads_no_value" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.erase.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      DeriveTokenKeys = [
        ["kms:GenerateMac"],
        ["arn:aws:kms:eu-west-1:123456789012:key/token-1", "arn:aws:kms:eu-west-1:123456789012:key/token-2"],
      ]
      SeeWhoIsThere = [
        ["dynamodb:GetItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      DestroySecrets = [
        ["dynamodb:UpdateItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      RecordErasure = [
        ["s3:PutObject"],
        ["arn:aws:s3:::the-audit/records/erase/*"],
      ]
      KeepChains = [
        ["dynamodb:PutItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      SignReceipts = [
        ["kms:Sign"],
        ["arn:aws:kms:eu-west-1:123456789012:key/receipts"],
      ]
      UseTablesAndBucket = [
        ["kms:Decrypt", "kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
      WriteLog = [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tidegate-test-erase:*"],
      ]
    })
    error_message = "The powers of erase changed: ${jsonencode({ for s in data.aws_iam_policy_document.erase.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.erase.statement : s.sid => { for c in s.condition : c.variable => [c.test, sort(c.values)] } if length(s.condition) > 0
      }) == jsonencode({
      DeriveTokenKeys = { "kms:MacAlgorithm" = ["StringEquals", ["HMAC_SHA_512"]] }
      SeeWhoIsThere = {
        "dynamodb:Attributes" = ["ForAllValues:StringEquals", ["created_at", "erased_at", "previous", "subject"]]
        "dynamodb:Select"     = ["StringEquals", ["SPECIFIC_ATTRIBUTES"]]
      }
      DestroySecrets     = { "dynamodb:ReturnValues" = ["StringEquals", ["NONE"]] }
      KeepChains         = { "dynamodb:LeadingKeys" = ["ForAllValues:StringEquals", ["chains/erase"]] }
      SignReceipts       = { "kms:SigningAlgorithm" = ["StringEquals", ["ECDSA_SHA_256"]] }
      UseTablesAndBucket = { "kms:ViaService" = ["StringEquals", ["dynamodb.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]] }
    })
    error_message = "Erase must see all of a person but the secret, get nothing back from an update, and use the data key through services alone."
  }
}

run "both_trace_when_tracing_is_on" {
  command = plan

  variables {
    tracing = "Active"
  }

  assert {
    condition = alltrue([
      for document in [data.aws_iam_policy_document.detokenize, data.aws_iam_policy_document.erase] :
      contains(flatten([for s in document.statement : s.actions]), "xray:PutTraceSegments")
    ])
    error_message = "The functions trace and may not write the trace."
  }
}

run "commands_find_both_by_name" {
  assert {
    condition     = [output.detokenize.function_name, output.erase.function_name, output.subjects_table] == ["tidegate-test-detokenize", "tidegate-test-erase", "tidegate-test-subjects"]
    error_message = "Names are a contract with the commands, which know the environment alone."
  }

  assert {
    condition     = output.receipts_key == { arn = "arn:aws:kms:eu-west-1:123456789012:key/receipts", alias = "alias/tidegate-test-receipts" }
    error_message = "Who is to check a receipt must be told the key."
  }
}

run "a_function_runs_alone_and_is_watched" {
  module {
    source = "./modules/access"
  }

  variables {
    name                 = "tidegate-test-erase"
    description          = "Erases"
    role_policy          = "{\"Statement\": []}"
    handler              = "processor.erase.handler"
    package              = "versions.tf"
    runtime              = "python3.13"
    architecture         = "arm64"
    reserved_concurrency = 2
    tracing              = "PassThrough"
    log_retention_days   = 60
    environment          = { RECEIPT_KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/receipts" }
    data_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/data"
    alarm_topic_arns     = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  }

  assert {
    condition     = aws_lambda_function.this.handler == "processor.erase.handler" && aws_lambda_function.this.publish && aws_lambda_function.this.reserved_concurrent_executions == 2 && aws_lambda_function.this.source_code_hash == filebase64sha256("versions.tf") && aws_lambda_function.this.role == aws_iam_role.this.arn && jsonencode(aws_lambda_function.this.environment[0].variables) == jsonencode(var.environment)
    error_message = "The function must run what it was given, under its own role, in published versions, few at once."
  }

  assert {
    condition     = aws_iam_role_policy.this.policy == var.role_policy && aws_iam_role_policy.this.role == aws_iam_role.this.id && aws_iam_role.this.name == var.name
    error_message = "The role must hold the policy that was given, under the name that the keys' policies know."
  }

  assert {
    condition     = jsonencode([for s in data.aws_iam_policy_document.trust.statement : [sort(s.actions), [for p in s.principals : [p.type, sort(p.identifiers)]]]]) == jsonencode([[["sts:AssumeRole"], [["Service", ["lambda.amazonaws.com"]]]]])
    error_message = "Lambda alone may take the role."
  }

  assert {
    condition = (
      aws_iam_policy.caller.name == "tidegate-test-erase-caller" && aws_iam_policy.caller.policy == data.aws_iam_policy_document.caller.json &&
      jsonencode([for s in data.aws_iam_policy_document.caller.statement : [s.actions, s.resources]]) == jsonencode([[["lambda:InvokeFunction"], ["arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-erase:live"]]])
    )
    error_message = "A caller must be able to call the alias, and nothing else."
  }

  assert {
    condition     = aws_lambda_alias.live.name == "live" && aws_lambda_alias.live.function_version == "7"
    error_message = "The alias `live` must point to the version just published."
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == "/aws/lambda/tidegate-test-erase" && aws_cloudwatch_log_group.this.name == "/aws/lambda/tidegate-test-erase" && aws_cloudwatch_log_group.this.retention_in_days == 60 && aws_cloudwatch_log_group.this.kms_key_id == var.data_key_arn
    error_message = "The function must log to its own group, encrypted, for as long as was said."
  }

  assert {
    condition = jsonencode([
      for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.refused] :
      [alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.threshold, alarm.comparison_operator, alarm.alarm_actions]
      ]) == jsonencode([
      ["AWS/Lambda", "Errors", { FunctionName = "tidegate-test-erase" }, 0, "GreaterThanThreshold", ["arn:aws:sns:eu-west-1:123456789012:on-call"]],
      ["Tidegate", "RequestsRefused", { Function = "tidegate-test-erase" }, 10, "GreaterThanThreshold", ["arn:aws:sns:eu-west-1:123456789012:on-call"]],
    ])
    error_message = "Somebody must be told of requests that fail, and of many that are refused."
  }
}
