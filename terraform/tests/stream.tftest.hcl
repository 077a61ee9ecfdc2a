# One stream: what its function may do, when it is called, and what happens when it fails.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name   = "tidegate-test-cards"
  policy = "cards"

  boundary = "arn:aws:iam::123456789012:policy/the-boundary"

  stream_arn             = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards/stream/2026-01-01T00:00:00.000"
  source_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/source"
  batch_size             = 123
  batch_window_s         = 4
  parallelization_factor = 2
  retries                = 6
  max_record_age_s       = 7200
  bisect                 = true

  release                 = "Version 3, model cards_fraud@0123456789ab"
  package                 = "versions.tf" # any file: Terraform only hashes it
  runtime                 = "python3.13"
  architecture            = "arm64"
  memory_mb               = 1024
  timeout_s               = 60
  reserved_concurrency    = -1
  provisioned_concurrency = 0
  tracing                 = "PassThrough"
  log_retention_days      = 60

  buckets = {
    events     = { name = "the-events", arn = "arn:aws:s3:::the-events" }
    audit      = { name = "the-audit", arn = "arn:aws:s3:::the-audit" }
    quarantine = { name = "the-quarantine", arn = "arn:aws:s3:::the-quarantine" }
  }
  alerts_topic_arn = "arn:aws:sns:eu-west-1:123456789012:alerts"
  publishes_alerts = true
  ledger           = { name = "the-ledger", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger" }
  subjects         = { name = "the-subjects", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects" }
  profiles         = { name = "the-profiles", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-profiles" }
  scores           = true
  subject_cache_s  = 61
  by_subject       = true
  erases_removed   = true
  data_key_arn     = "arn:aws:kms:eu-west-1:123456789012:key/data"
  audit_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/audit"
  token_key_arns   = { "1" = "arn:aws:kms:eu-west-1:123456789012:key/token-1", "2" = "arn:aws:kms:eu-west-1:123456789012:key/token-2" }

  flag_rate            = 0.004
  iterator_age_alarm_s = 900
  alarm_topic_arns     = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  notices_topic_arns   = ["arn:aws:sns:eu-west-1:123456789012:team"]
  runbook_url          = "https://wiki.example.org/runbook"

  after = []
}

run "the_role_allows_these_actions_on_these_things_and_no_more" {
  module {
    source = "./modules/stream"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.role.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      ReadStream = [
        ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/cards/stream/2026-01-01T00:00:00.000"],
      ]
      FindStream = [
        ["dynamodb:ListStreams"],
        ["*"],
      ]
      KeepLedger = [
        ["dynamodb:PutItem", "dynamodb:Query"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      KeepSubjects = [
        ["dynamodb:BatchGetItem", "dynamodb:PutItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      EraseWhoWasRemoved = [
        ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      KeepProfiles = [
        ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-profiles"],
      ]
      DeriveTokenKeys = [
        ["kms:GenerateMac"],
        ["arn:aws:kms:eu-west-1:123456789012:key/token-1", "arn:aws:kms:eu-west-1:123456789012:key/token-2"],
      ]
      WriteEvents = [
        ["s3:GetObject", "s3:PutObject"],
        ["arn:aws:s3:::the-events/events/cards/*"],
      ]
      WriteAuditAndQuarantine = [
        ["s3:PutObject"],
        [
          "arn:aws:s3:::the-audit/manifests/cards/*", "arn:aws:s3:::the-audit/policies/cards/*",
          "arn:aws:s3:::the-audit/records/erase/*", "arn:aws:s3:::the-quarantine/quarantine/cards/*",
        ],
      ]
      KeepChains = [
        ["dynamodb:PutItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      PublishAlerts = [
        ["sns:Publish"],
        ["arn:aws:sns:eu-west-1:123456789012:alerts"],
      ]
      ReportFailures = [
        ["sqs:SendMessage"],
        ["arn:aws:sqs:eu-west-1:123456789012:tidegate-test-cards-failures"],
      ]
      EncryptWhatItWrites = [
        ["kms:Decrypt", "kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
      SealAudit = [
        ["kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/audit"],
      ]
      Seal = [
        ["kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
      DecryptStream = [
        ["kms:Decrypt"],
        ["arn:aws:kms:eu-west-1:123456789012:key/source"],
      ]
      WriteLog = [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tidegate-test-cards:*"],
      ]
    })
    error_message = "The role's powers changed: ${jsonencode({ for s in data.aws_iam_policy_document.role.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.role.statement : s.sid => [for c in s.condition : [c.test, c.variable, sort(c.values)]] if length(s.condition) > 0
      }) == jsonencode({
      KeepLedger          = [["ForAllValues:StringNotLike", "dynamodb:LeadingKeys", ["chains/*", "rates/*", "replays/*"]]]
      DeriveTokenKeys     = [["ArnEquals", "lambda:SourceFunctionArn", ["arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-cards"]], ["StringEquals", "kms:MacAlgorithm", ["HMAC_SHA_512"]]]
      KeepChains          = [["ForAllValues:StringEquals", "dynamodb:LeadingKeys", ["chains/stream/cards"]]]
      EncryptWhatItWrites = [["StringEquals", "kms:ViaService", ["dynamodb.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"]]]
      SealAudit           = [["StringEquals", "kms:ViaService", ["s3.eu-west-1.amazonaws.com"]]]
      Seal                = [["ArnEquals", "lambda:SourceFunctionArn", ["arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-cards"]], ["StringEquals", "kms:EncryptionContext:purpose", ["tidegate.encrypt", "tidegate.quarantine"]]]
      DecryptStream       = [["StringEquals", "kms:ViaService", ["dynamodb.eu-west-1.amazonaws.com"]]]
    })
    error_message = "Keys must be usable only as the gate uses them: token keys for HMAC_SHA_512 and from within the function, the others through services, and the audit key to seal. In the ledger a stream must reach its own intents and chains, not what the other functions keep there."
  }

  # It makes tokens: that it cannot have them opened, nor call for an erasure, is what makes them tokens.
  assert {
    condition     = alltrue([for action in flatten([for s in data.aws_iam_policy_document.role.statement : s.actions]) : can(regex("^(dynamodb|kms|logs|s3|sns|sqs|xray):[A-Za-z]+$", action))])
    error_message = "The stream's role must not reach Lambda, nor anything by a wildcard."
  }

  assert {
    condition     = aws_iam_role_policy.this.policy == data.aws_iam_policy_document.role.json && aws_iam_role_policy.this.role == aws_iam_role.this.id && aws_iam_role.this.permissions_boundary == var.boundary
    error_message = "The role must hold the policy tested above, within the boundary."
  }

  assert {
    condition     = jsonencode([for s in data.aws_iam_policy_document.trust.statement : [sort(s.actions), [for p in s.principals : [p.type, sort(p.identifiers)]]]]) == jsonencode([[["sts:AssumeRole"], [["Service", ["lambda.amazonaws.com"]]]]])
    error_message = "Lambda alone may take the role."
  }
}

run "a_policy_without_alerts_may_not_publish" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    publishes_alerts = false
  }

  assert {
    condition     = !contains(flatten([for s in data.aws_iam_policy_document.role.statement : s.actions]), "sns:Publish")
    error_message = "The role may publish although the policy routes nothing to the topic."
  }
}

run "a_policy_by_which_nothing_goes_by_the_person_keeps_away_from_people" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    by_subject     = false
    erases_removed = false
  }

  assert {
    condition     = !contains(flatten([for s in data.aws_iam_policy_document.role.statement : s.resources]), var.subjects.arn)
    error_message = "The role reaches the subjects table although no rule of the policy goes by the person."
  }
}

run "a_policy_without_a_model_keeps_no_profiles" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    scores = false
  }

  assert {
    condition     = !contains(flatten([for s in data.aws_iam_policy_document.role.statement : s.resources]), var.profiles.arn)
    error_message = "The role reaches the profiles table although nothing is scored."
  }
}

run "a_policy_that_erases_nobody_may_not_erase" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    erases_removed = false
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.role.statement : sort(s.actions) if contains(s.resources, var.subjects.arn)
    ]) == jsonencode([["dynamodb:BatchGetItem", "dynamodb:PutItem"]])
    error_message = "The role may create people and look them up, not erase them: it is not asked to."
  }

  assert {
    condition     = !contains(flatten([for s in data.aws_iam_policy_document.role.statement : s.resources]), "arn:aws:s3:::the-audit/records/erase/*")
    error_message = "Who erases nobody has no erasure to record."
  }
}

run "a_table_without_its_own_key_needs_no_decryption" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    source_key_arn = null
  }

  assert {
    condition     = !contains(data.aws_iam_policy_document.role.statement[*].sid, "DecryptStream")
    error_message = "There is no key to decrypt the stream with."
  }
}

run "tracing_is_allowed_when_it_is_on" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    tracing = "Active"
  }

  assert {
    condition     = contains(flatten([for s in data.aws_iam_policy_document.role.statement : s.actions]), "xray:PutTraceSegments")
    error_message = "The function traces and may not write the trace."
  }
}

run "the_function_knows_its_surroundings" {
  module {
    source = "./modules/stream"
  }

  assert {
    condition = jsonencode(aws_lambda_function.this.environment[0].variables) == jsonencode({
      EVENTS_BUCKET         = "the-events"
      AUDIT_BUCKET          = "the-audit"
      QUARANTINE_BUCKET     = "the-quarantine"
      ALERTS_TOPIC_ARN      = "arn:aws:sns:eu-west-1:123456789012:alerts"
      LEDGER_TABLE          = "the-ledger"
      SUBJECTS_TABLE        = "the-subjects"
      PROFILES_TABLE        = "the-profiles"
      SUBJECT_CACHE_SECONDS = "61"
      DATA_KEY_ARN          = "arn:aws:kms:eu-west-1:123456789012:key/data"
      TOKEN_KEY_ARNS        = jsonencode({ "1" = "arn:aws:kms:eu-west-1:123456789012:key/token-1", "2" = "arn:aws:kms:eu-west-1:123456789012:key/token-2" })
    })
    error_message = "The function's environment is a contract: ${jsonencode(aws_lambda_function.this.environment[0].variables)}"
  }

  assert {
    condition     = aws_lambda_function.this.handler == "processor.handler.handler" && aws_lambda_function.this.publish
    error_message = "The function must run the gate's handler, in published versions."
  }

  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("versions.tf")
    error_message = "A package with other content must be deployed, and one with the same must not."
  }

  assert {
    condition     = aws_lambda_function.this.role == aws_iam_role.this.arn
    error_message = "The function must run under its own role."
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name && aws_cloudwatch_log_group.this.name == "/aws/lambda/tidegate-test-cards"
    error_message = "The function must log to the group whose retention is set."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 60 && aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:eu-west-1:123456789012:key/data"
    error_message = "The log must be kept as long as the policy says, encrypted."
  }
}

run "a_stream_is_delivered_whole_and_in_order" {
  module {
    source = "./modules/stream"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.event_source_arn == var.stream_arn && aws_lambda_event_source_mapping.this.function_name == aws_lambda_alias.live.arn
    error_message = "The mapping must send the stream to the alias, not to a version or to the latest code."
  }

  assert {
    condition     = aws_lambda_alias.live.name == "live" && aws_lambda_alias.live.function_version == "7" && length(aws_lambda_alias.live.routing_config) == 0
    error_message = "The alias `live` must point to the version just published."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.starting_position == "TRIM_HORIZON"
    error_message = "LATEST misses what is written while the mapping starts."
  }

  assert {
    condition     = jsonencode(aws_lambda_event_source_mapping.this.function_response_types) == jsonencode(["ReportBatchItemFailures"])
    error_message = "Without ReportBatchItemFailures an answer that names a failed record counts as full success: the record is lost."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.bisect_batch_on_function_error
    error_message = "A record that crashes the function must be isolated."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.failures.arn
    error_message = "A batch that Lambda gives up on must be reported to the failure queue."
  }

  assert {
    condition = jsonencode([
      aws_lambda_event_source_mapping.this.batch_size,
      aws_lambda_event_source_mapping.this.maximum_batching_window_in_seconds,
      aws_lambda_event_source_mapping.this.parallelization_factor,
      aws_lambda_event_source_mapping.this.maximum_retry_attempts,
      aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds,
    ]) == jsonencode([123, 4, 2, 6, 7200])
    error_message = "The mapping must use the stream's own settings."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    error_message = "Without filters every record must reach the function."
  }
}

run "filters_reach_the_mapping" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    filters = ["{\"eventName\":[\"INSERT\"]}", "{\"eventName\":[\"REMOVE\"]}"]
  }

  assert {
    condition     = jsonencode(sort([for f in aws_lambda_event_source_mapping.this.filter_criteria[0].filter : jsondecode(f.pattern).eventName[0]])) == jsonencode(["INSERT", "REMOVE"])
    error_message = "Both filter patterns must be in the mapping."
  }
}

run "a_data_stream_of_kinesis_is_read_by_its_own_powers_and_nothing_else" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    stream_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/cards"
    kinesis    = { table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards", start_at = "2026-11-23T21:00:00Z" }
    filters    = ["{\"eventName\":[\"INSERT\"]}"]
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.role.statement : s.sid => [sort(s.actions), sort(s.resources)] if contains(["ReadStream", "FindStream"], s.sid)
      }) == jsonencode({
      FindStream = [["kinesis:ListStreams"], ["*"]]
      ReadStream = [
        ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"],
        ["arn:aws:kinesis:eu-west-1:123456789012:stream/cards"],
      ]
    })
    error_message = "The role reads this data stream, and no table's."
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.role.statement : flatten([for c in s.condition : c.values]) if s.sid == "DecryptStream"
    ] == [["kinesis.eu-west-1.amazonaws.com"]]
    error_message = "What Kinesis keeps is decrypted through Kinesis."
  }

  assert {
    condition     = [for f in one(aws_lambda_event_source_mapping.this.filter_criteria).filter : jsondecode(f.pattern)] == [{ data = { eventName = ["INSERT"] } }]
    error_message = "A filter means the same in the other envelope."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.starting_position == "AT_TIMESTAMP" && aws_lambda_event_source_mapping.this.starting_position_timestamp == "2026-11-23T21:00:00Z"
    error_message = "Reading begins where it is said."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.TABLE_ARN == "arn:aws:dynamodb:eu-west-1:123456789012:table/cards"
    error_message = "Who replays must be able to tell whose records these are."
  }
}

run "failures_are_kept_encrypted_and_honest" {
  module {
    source = "./modules/stream"
  }

  assert {
    condition     = aws_sqs_queue.failures.kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/data" && aws_sqs_queue.failures.message_retention_seconds == 1209600
    error_message = "The failure queue must be encrypted with the data key and keep its messages for 14 days."
  }

  assert {
    condition     = aws_sqs_queue.failures.policy == data.aws_iam_policy_document.failures.json
    error_message = "The failure queue must have the policy tested below."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.failures.statement : [s.sid, s.effect, sort(s.actions), sort(s.resources), [for c in s.condition : [c.test, c.variable, c.values]]]
      ]) == jsonencode([
      ["TlsOnly", "Deny", ["sqs:*"], ["arn:aws:sqs:eu-west-1:123456789012:tidegate-test-cards-failures"], [["Bool", "aws:SecureTransport", ["false"]]]],
      ["MappingOnly", "Deny", ["sqs:SendMessage"], ["arn:aws:sqs:eu-west-1:123456789012:tidegate-test-cards-failures"], [["ArnNotEquals", "aws:PrincipalArn", ["arn:aws:iam::123456789012:role/tidegate-test-cards"]]]],
    ])
    error_message = "The failure queue must refuse plain HTTP and every sender but the stream's role."
  }
}

run "someone_is_told" {
  module {
    source = "./modules/stream"
  }

  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.iterator_age] :
      alarm.namespace == "AWS/Lambda" && alarm.dimensions == tomap({ FunctionName = "tidegate-test-cards" }) &&
      alarm.comparison_operator == "GreaterThanThreshold"
    ])
    error_message = "Both alarms must watch this function."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.errors.metric_name == "Errors" && aws_cloudwatch_metric_alarm.errors.threshold == 0
    error_message = "Any error must count."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.iterator_age.metric_name == "IteratorAge" && aws_cloudwatch_metric_alarm.iterator_age.threshold == 900000 && aws_cloudwatch_metric_alarm.iterator_age.statistic == "Maximum"
    error_message = "The alarm on the iterator's age is in milliseconds, and one late shard is enough."
  }
}

run "a_log_retention_that_cloudwatch_does_not_know_is_refused" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    log_retention_days = 45
  }

  expect_failures = [aws_cloudwatch_log_group.this]
}

run "nothing_is_kept_warm_unless_asked_for" {
  command = plan

  module {
    source = "./modules/stream"
  }

  assert {
    condition     = length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "Runs that are kept warm cost by the hour."
  }
}

run "what_is_kept_warm_is_what_the_stream_is_sent_to" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    reserved_concurrency    = 8
    provisioned_concurrency = 3
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.live["live"].provisioned_concurrent_executions == 3 && aws_lambda_provisioned_concurrency_config.live["live"].qualifier == "live" && aws_lambda_function.this.reserved_concurrent_executions == 8
    error_message = "The alias must have the runs that were asked for."
  }

  assert {
    condition     = length(aws_lambda_function.this.snap_start) == 0
    error_message = "A snapshot would hold token keys: they are derived when the function starts, and are to be stored nowhere."
  }
}

run "a_canary_leaves_the_rest_where_it_was_and_the_role_as_both_need_it" {
  module {
    source = "./modules/stream"
  }

  variables {
    canary           = { stable = "6", percent = 10, reach = ["alerts", "erase"] }
    publishes_alerts = false
    erases_removed   = false
    scores           = false
    flag_rate        = null
  }

  assert {
    condition = (
      aws_lambda_alias.live.function_version == "6" &&
      jsonencode([for routed in aws_lambda_alias.live.routing_config : routed.additional_version_weights]) == jsonencode([{ "7" = 0.1 }])
    )
    error_message = "A canary must send its percent to the version just published, and the rest where it went before."
  }

  assert {
    condition = (
      toset([for s in data.aws_iam_policy_document.role.statement : s.sid if contains(["EraseWhoWasRemoved", "KeepProfiles", "KeepSubjects", "PublishAlerts"], s.sid)]) ==
      toset(["EraseWhoWasRemoved", "KeepSubjects", "PublishAlerts"])
    )
    error_message = "The role must let both versions reach what they need, and nothing that neither does."
  }

  assert {
    condition     = aws_lambda_function.this.description == "Version 3, model cards_fraud@0123456789ab, reaches subjects (policy cards)"
    error_message = "A version must say what it holds and reaches itself: rollback reads it."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.flags) == 0 && !strcontains(aws_cloudwatch_composite_alarm.canary.alarm_rule, "-flags")
    error_message = "Where nothing is scored, no share of flags can ring."
  }
}

run "a_canary_needs_another_version" {
  command = plan

  module {
    source = "./modules/stream"
  }

  variables {
    canary = { stable = "7", percent = 10, reach = [] } # which is the newest
  }

  expect_failures = [aws_lambda_alias.live]
}
