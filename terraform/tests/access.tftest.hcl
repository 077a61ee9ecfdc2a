# One of the functions on people: what it may do like the other, who may call it, and what it knows.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  power       = "erase"
  name        = "tidegate-test-erase"
  description = "Erases"
  powers      = "{\"Statement\": []}"
  boundary    = "arn:aws:iam::123456789012:policy/the-boundary"

  package              = "versions.tf" # any file: Terraform only hashes it
  runtime              = "python3.13"
  architecture         = "arm64"
  reserved_concurrency = 2
  tracing              = "PassThrough"
  log_retention_days   = 60

  audit          = { name = "the-audit", arn = "arn:aws:s3:::the-audit" }
  ledger         = { name = "the-ledger", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger" }
  subjects_table = "the-subjects"
  data_key_arn   = "arn:aws:kms:eu-west-1:123456789012:key/data"
  audit_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/audit"
  token_key_arns = { "1" = "arn:aws:kms:eu-west-1:123456789012:key/token-1", "2" = "arn:aws:kms:eu-west-1:123456789012:key/token-2" }
  environment    = { SUBJECT_CACHE_SECONDS = "61" }

  alarm_topic_arns   = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  notices_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:team"]
  runbook_url        = "https://wiki.example.org/runbook"
}

run "the_role_allows_what_a_request_needs_and_its_own_powers" {
  module {
    source = "./modules/access"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.role.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      DeriveTokenKeys = [
        ["kms:GenerateMac"],
        ["arn:aws:kms:eu-west-1:123456789012:key/token-1", "arn:aws:kms:eu-west-1:123456789012:key/token-2"],
      ]
      Record = [
        ["s3:PutObject"],
        ["arn:aws:s3:::the-audit/records/erase/*"],
      ]
      KeepChains = [
        ["dynamodb:PutItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      UseTables = [
        ["kms:Decrypt", "kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
      SealAudit = [
        ["kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/audit"],
      ]
      WriteLog = [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tidegate-test-erase:*"],
      ]
    })
    error_message = "The powers of both functions changed: ${jsonencode({ for s in data.aws_iam_policy_document.role.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.role.statement : s.sid => [for c in s.condition : [c.test, c.variable, sort(c.values)]] if length(s.condition) > 0
      }) == jsonencode({
      DeriveTokenKeys = [["ArnEquals", "lambda:SourceFunctionArn", ["arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-erase"]], ["StringEquals", "kms:MacAlgorithm", ["HMAC_SHA_512"]]]
      KeepChains      = [["ForAllValues:StringEquals", "dynamodb:LeadingKeys", ["chains/erase"]]]
      UseTables       = [["StringEquals", "kms:ViaService", ["dynamodb.eu-west-1.amazonaws.com"]]]
      SealAudit       = [["StringEquals", "kms:ViaService", ["s3.eu-west-1.amazonaws.com"]]]
    })
    error_message = "A function must write its own chain alone, and use the data key through its tables, the audit key to seal, and token keys for HMAC_SHA_512 and from within alone."
  }

  assert {
    condition     = data.aws_iam_policy_document.role.source_policy_documents == tolist([var.powers])
    error_message = "What the function alone may do must be in its role."
  }

  assert {
    condition     = aws_iam_role_policy.this.policy == data.aws_iam_policy_document.role.json && aws_iam_role_policy.this.role == aws_iam_role.this.id && aws_iam_role.this.name == var.name && aws_iam_role.this.permissions_boundary == var.boundary
    error_message = "The role must hold the policy tested above, within the boundary and under the name that the keys' policies know."
  }

  assert {
    condition     = jsonencode([for s in data.aws_iam_policy_document.trust.statement : [sort(s.actions), [for p in s.principals : [p.type, sort(p.identifiers)]]]]) == jsonencode([[["sts:AssumeRole"], [["Service", ["lambda.amazonaws.com"]]]]])
    error_message = "Lambda alone may take the role."
  }
}

run "it_traces_when_tracing_is_on" {
  command = plan

  module {
    source = "./modules/access"
  }

  variables {
    tracing = "Active"
  }

  assert {
    condition     = contains(flatten([for s in data.aws_iam_policy_document.role.statement : s.actions]), "xray:PutTraceSegments")
    error_message = "The function traces and may not write the trace."
  }
}

run "a_function_knows_its_surroundings" {
  module {
    source = "./modules/access"
  }

  assert {
    condition = jsonencode(aws_lambda_function.this.environment[0].variables) == jsonencode({
      AUDIT_BUCKET               = "the-audit"
      LEDGER_TABLE               = "the-ledger"
      SUBJECTS_TABLE             = "the-subjects"
      SUBJECT_CACHE_SECONDS      = "61"
      TOKEN_KEY_ARNS             = jsonencode(var.token_key_arns)
      AWS_STS_REGIONAL_ENDPOINTS = "regional"
    })
    error_message = "The function's environment is a contract: ${jsonencode(aws_lambda_function.this.environment[0].variables)}"
  }

  assert {
    condition     = aws_lambda_function.this.handler == "processor.erase.handler" && aws_lambda_function.this.publish && aws_lambda_function.this.reserved_concurrent_executions == 2 && aws_lambda_function.this.source_code_hash == filebase64sha256("versions.tf") && aws_lambda_function.this.role == aws_iam_role.this.arn
    error_message = "The function must run what it was given, under its own role, in published versions, few at once."
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
      ["AWS/Lambda", "Errors", { FunctionName = "tidegate-test-erase" }, 0, "GreaterThanThreshold", ["arn:aws:sns:eu-west-1:123456789012:team"]],
      ["Tidegate", "RequestsRefused", { Function = "tidegate-test-erase" }, 10, "GreaterThanThreshold", ["arn:aws:sns:eu-west-1:123456789012:on-call"]],
    ])
    error_message = "Somebody must be told of requests that fail, and of many that are refused."
  }
}
