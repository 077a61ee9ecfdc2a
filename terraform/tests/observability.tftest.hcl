# What is told: the dashboard, and the alarms of a stream. That both speak of metrics that the functions emit is
# tests/terraform/test_observability.py's.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "the_dashboard_draws_every_question_for_everybody" {
  variables {
    environment     = "test"
    region          = "eu-west-1"
    policies_folder = "tests/policies"
    runbook_url     = "https://wiki.example.org/runbook"
    access_package  = "versions.tf" # any file: Terraform only hashes it

    streams = {
      cards = {
        package = "versions.tf"
        table   = { hash_key = "card_id" }
      }
      home-loans = {
        policy     = "loans"
        package    = "versions.tf"
        stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
      }
    }
  }

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "tidegate-test"
    error_message = "There must be one dashboard, named after the environment."
  }

  assert {
    condition = jsonencode([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.metrics if try(widget.properties.title, "") == "Records in quarantine"
      ]) == jsonencode([[
        ["Tidegate", "RecordsQuarantined", "Policy", "cards"], ["Tidegate", "RecordsQuarantined", "Policy", "loans"],
    ]])
    error_message = "A graph must have a line for each policy."
  }

  assert {
    condition = toset([
      for line in flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [for line in try(widget.properties.metrics, []) : join("/", slice(line, 2, 4)) if length(line) == 4]]) : line
      ]) == toset([
      "Policy/cards", "Policy/loans", "Function/tidegate-test-detokenize", "Function/tidegate-test-erase",
      "FunctionName/tidegate-test-cards", "FunctionName/tidegate-test-home-loans", "FunctionName/tidegate-test-detokenize", "FunctionName/tidegate-test-erase",
      "QueueName/tidegate-test-cards-failures", "QueueName/tidegate-test-home-loans-failures",
    ])
    error_message = "The dashboard must show all policies and all functions, each by the dimension under which it speaks."
  }

  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.x + widget.width <= 24 && widget.width >= 6
    ])
    error_message = "A row of graphs must fit into the grid."
  }

  # 0.20 dollars for a million calls, and 0.0000133334 for a gigabyte-second on arm64.
  assert {
    condition = jsonencode([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        widget.properties.period, [for line in widget.properties.metrics : line if try(line[3] == "tidegate-test-home-loans", line[0].id == "c1")]
      ] if startswith(try(widget.properties.title, ""), "Functions on streams")
      ]) == jsonencode([[3600, [
        [{ expression = "d1 / 1000 * 1 * 0.0000133334 + n1 * 0.0000002", id = "c1", label = "home-loans" }],
        ["AWS/Lambda", "Duration", "FunctionName", "tidegate-test-home-loans", { id = "d1", visible = false }],
        ["AWS/Lambda", "Invocations", "FunctionName", "tidegate-test-home-loans", { id = "n1", visible = false }],
    ]]])
    error_message = "What a function costs must be its milliseconds by its memory, and its calls, at the listed prices."
  }

  assert {
    condition     = endswith(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.markdown, "[what to do when an alarm rings](https://wiki.example.org/runbook)")
    error_message = "Who looks must find the runbook."
  }

  # Whatever overlaps, CloudWatch moves: the order would no longer be the one in which one asks.
  assert {
    condition = length(distinct([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.x}/${widget.y}"
    ])) == length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)
    error_message = "No two graphs may have the same place."
  }
}

run "no_log_is_without_a_net" {
  command = plan

  variables {
    environment      = "test"
    region           = "eu-west-1"
    policies_folder  = "tests/policies"
    access_package   = "versions.tf"
    streams          = { cards = { package = "versions.tf", table = { hash_key = "card_id", point_in_time_recovery = true } } }
    backfills        = { cards = {} }
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  }

  assert {
    condition = toset([for policy in aws_cloudwatch_log_data_protection_policy.this : policy.log_group_name]) == toset([
      "/aws/lambda/tidegate-test-cards", "/aws/lambda/tidegate-test-cards-backfill", "/aws/lambda/tidegate-test-detokenize",
      "/aws/lambda/tidegate-test-erase", "/aws/vendedlogs/states/tidegate-test-cards-backfill",
    ])
    error_message = "Every log group must mask what it should not hold."
  }

  assert {
    condition = (
      length(distinct([for statement in data.aws_cloudwatch_log_data_protection_policy_document.this.statement : jsonencode(sort(statement.data_identifiers))])) == 1 &&
      alltrue([
        for name in ["Address", "BankAccountNumber-DE", "CreditCardNumber", "EmailAddress", "PhoneNumber-US", "Ssn-US"] :
        contains(data.aws_cloudwatch_log_data_protection_policy_document.this.statement[0].data_identifiers, "arn:aws:dataprotection::aws:data-identifier/${name}")
      ]) &&
      length(data.aws_cloudwatch_log_data_protection_policy_document.this.statement[0].operation[0].audit) == 1 &&
      length(data.aws_cloudwatch_log_data_protection_policy_document.this.statement[1].operation[0].deidentify) == 1
    )
    error_message = "The same must be counted and masked, or AWS refuses the policy."
  }

  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.log_findings :
      tolist(alarm.metric_query)[0].expression == "SELECT SUM(LogEventsWithFindings) FROM \"AWS/Logs\" WHERE LogGroupName = '${aws_cloudwatch_log_data_protection_policy.this[name].log_group_name}'" &&
      alarm.alarm_name == "${name}-log-findings" && jsonencode(alarm.alarm_actions) == jsonencode(["arn:aws:sns:eu-west-1:123456789012:on-call"]) && length(coalesce(alarm.ok_actions, [])) == 0
    ])
    error_message = "Each must wake somebody for one line."
  }
}

run "a_region_without_such_nets_does_without" {
  command = plan

  variables {
    environment         = "test"
    region              = "eu-west-1"
    policies_folder     = "tests/policies"
    access_package      = "versions.tf"
    streams             = { cards = { package = "versions.tf", table = { hash_key = "card_id" } } }
    log_data_protection = false
  }

  assert {
    condition     = length(aws_cloudwatch_log_data_protection_policy.this) + length(aws_cloudwatch_metric_alarm.log_findings) == 0
    error_message = "Where it is off, nothing may be made of it."
  }
}

run "alarms_ring_for_what_needs_somebody" {
  module {
    source = "./modules/stream"
  }

  variables {
    name   = "tidegate-test-cards"
    policy = "cards"

    stream_arn             = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards/stream/2026-01-01T00:00:00.000"
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
    boundary         = "arn:aws:iam::123456789012:policy/the-boundary"
    token_key_arns   = { "1" = "arn:aws:kms:eu-west-1:123456789012:key/token-1" }

    flag_rate            = 0.004
    iterator_age_alarm_s = 900
    alarm_topic_arns     = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
    notices_topic_arns   = ["arn:aws:sns:eu-west-1:123456789012:team"]
    runbook_url          = "https://wiki.example.org/runbook"

    after = []
  }

  assert {
    condition = jsonencode([
      for alarm in [aws_cloudwatch_metric_alarm.leaks, aws_cloudwatch_metric_alarm.quarantined] :
      [alarm.alarm_name, alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.statistic, alarm.comparison_operator, alarm.threshold, alarm.evaluation_periods, alarm.period]
      ]) == jsonencode([
      ["tidegate-test-cards-leaks", "Tidegate", "LeaksStopped", { Policy = "cards" }, "Sum", "GreaterThanThreshold", 0, 1, 300],
      ["tidegate-test-cards-quarantined", "Tidegate", "RecordsQuarantined", { Policy = "cards" }, "Sum", "GreaterThanThreshold", 0, 1, 300],
    ])
    error_message = "One leak is a mistake of the policy, and one record in quarantine waits for somebody."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.mismatched.evaluation_periods == 3 && aws_cloudwatch_metric_alarm.mismatched.threshold == 0.05 &&
      jsonencode({ for query in aws_cloudwatch_metric_alarm.mismatched.metric_query : query.id => query.expression if query.return_data == true }) == jsonencode({ share = "mismatched / records" }) &&
      jsonencode({ for query in aws_cloudwatch_metric_alarm.mismatched.metric_query : query.id => [query.metric[0].namespace, query.metric[0].metric_name, query.metric[0].dimensions, query.metric[0].stat] if length(query.metric) > 0 }) ==
      jsonencode({ mismatched = ["Tidegate", "ValuesMismatched", { Policy = "cards" }, "Sum"], records = ["Tidegate", "Records", { Policy = "cards" }, "Sum"] })
    )
    error_message = "Mismatches must ring by their share of the records, and when they last."
  }

  assert {
    condition = (
      jsonencode([aws_cloudwatch_metric_alarm.stopped.alarm_name, aws_cloudwatch_metric_alarm.stopped.metric_name, aws_cloudwatch_metric_alarm.stopped.dimensions]) ==
      jsonencode(["tidegate-test-cards-stopped", "BatchesStopped", { Policy = "cards" }]) &&
      aws_cloudwatch_metric_alarm.stopped.datapoints_to_alarm == 3 && aws_cloudwatch_metric_alarm.stopped.period == 60
    )
    error_message = "A throttled minute is no news; a service that refuses for minutes is, and Lambda counts no error then."
  }

  assert {
    condition = (
      jsonencode([for alarm in aws_cloudwatch_metric_alarm.drift : [alarm.alarm_name, alarm.evaluation_periods, alarm.comparison_operator, alarm.threshold]]) == jsonencode([["tidegate-test-cards-drift", 3, "GreaterThanThreshold", 0.25]]) &&
      jsonencode({ for query in aws_cloudwatch_metric_alarm.drift["scores"].metric_query : query.id => query.expression if length(query.metric) == 0 }) == jsonencode(jsondecode(file("tests/drift.json"))) &&
      jsonencode([for query in aws_cloudwatch_metric_alarm.drift["scores"].metric_query : query.id if query.return_data == true]) == jsonencode(["drift"]) &&
      alltrue([for query in aws_cloudwatch_metric_alarm.drift["scores"].metric_query : jsonencode([query.metric[0].period, query.metric[0].stat, query.metric[0].dimensions]) == jsonencode([3600, "Sum", { Policy = "cards" }]) if length(query.metric) > 0]) &&
      length([for query in aws_cloudwatch_metric_alarm.drift["scores"].metric_query : query.id if length(query.metric) > 0]) == 10
    )
    error_message = "Scores that are spread otherwise than in training must ring when it lasts for hours, and there are records enough."
  }

  # What a model flags must be far from its own figures before it counts as broken.
  assert {
    condition = (
      jsonencode([for alarm in aws_cloudwatch_metric_alarm.flags : [alarm.alarm_name, alarm.evaluation_periods, alarm.comparison_operator, alarm.threshold]]) == jsonencode([["tidegate-test-cards-flags", 1, "GreaterThanThreshold", 0.02]]) &&
      jsonencode({ for query in aws_cloudwatch_metric_alarm.flags["scores"].metric_query : query.id => query.expression if query.return_data == true }) == jsonencode({ share = "IF(records >= 200, flagged / records, 0)" }) &&
      alltrue([for query in aws_cloudwatch_metric_alarm.flags["scores"].metric_query : jsonencode([query.metric[0].period, query.metric[0].stat, query.metric[0].dimensions]) == jsonencode([300, "Sum", { Policy = "cards", Version = "7" }]) if length(query.metric) > 0])
    )
    error_message = "The newest version must ring by its own records when it flags five times what its model did."
  }

  assert {
    condition = (
      aws_cloudwatch_composite_alarm.canary.alarm_name == "tidegate-test-cards-canary" &&
      sort(regexall("[a-z-]+", replace(aws_cloudwatch_composite_alarm.canary.alarm_rule, "/ALARM|OR|[()\" ]+/", " "))) ==
      sort([for name in ["drift", "errors", "flags", "iterator-age", "leaks", "mismatched", "quarantined", "stopped"] : "tidegate-test-cards-${name}"]) &&
      length(coalesce(aws_cloudwatch_composite_alarm.canary.alarm_actions, [])) == 0
    )
    error_message = "A canary must be watched by every alarm of its stream that a version can make ring."
  }

  # A stream that stands still is one page, whichever of the three rings first.
  assert {
    condition = (
      aws_cloudwatch_composite_alarm.behind.alarm_name == "tidegate-test-cards-behind" &&
      aws_cloudwatch_composite_alarm.behind.alarm_rule == join(" OR ", [for name in ["errors", "iterator-age", "stopped"] : "ALARM(\"tidegate-test-cards-${name}\")"]) &&
      alltrue([
        for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.iterator_age, aws_cloudwatch_metric_alarm.stopped] :
        length(coalesce(alarm.alarm_actions, [])) + length(coalesce(alarm.ok_actions, [])) == 0
      ])
    )
    error_message = "What stops a stream must page once, by the alarm that sums it up."
  }

  assert {
    condition = (
      alltrue([
        for alarm in [aws_cloudwatch_composite_alarm.behind, aws_cloudwatch_metric_alarm.given_up, aws_cloudwatch_metric_alarm.leaks, aws_cloudwatch_metric_alarm.flags["scores"]] :
        jsonencode(alarm.alarm_actions) == jsonencode(["arn:aws:sns:eu-west-1:123456789012:on-call"])
      ]) &&
      alltrue([
        for alarm in [aws_cloudwatch_metric_alarm.throttled, aws_cloudwatch_metric_alarm.quarantined, aws_cloudwatch_metric_alarm.mismatched, aws_cloudwatch_metric_alarm.drift["scores"]] :
        jsonencode(alarm.alarm_actions) == jsonencode(["arn:aws:sns:eu-west-1:123456789012:team"])
      ])
    )
    error_message = "Only what needs a person now may wake one; everything else must tell the team."
  }

  assert {
    condition = (
      jsonencode([aws_cloudwatch_metric_alarm.given_up.namespace, aws_cloudwatch_metric_alarm.given_up.metric_name, aws_cloudwatch_metric_alarm.given_up.dimensions, aws_cloudwatch_metric_alarm.given_up.threshold]) ==
      jsonencode(["AWS/SQS", "ApproximateNumberOfMessagesVisible", { QueueName = "tidegate-test-cards-failures" }, 0])
    )
    error_message = "One batch that Lambda gave up on must ring: its records are gone after a day."
  }

  # The functions say nothing while no record comes, and a topic that is told of that is soon muted.
  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.iterator_age, aws_cloudwatch_metric_alarm.stopped, aws_cloudwatch_metric_alarm.throttled, aws_cloudwatch_metric_alarm.given_up, aws_cloudwatch_metric_alarm.leaks, aws_cloudwatch_metric_alarm.quarantined, aws_cloudwatch_metric_alarm.mismatched, aws_cloudwatch_metric_alarm.drift["scores"], aws_cloudwatch_metric_alarm.flags["scores"]] :
      alarm.treat_missing_data == "notBreaching" && endswith(alarm.alarm_description, " https://wiki.example.org/runbook#${trimprefix(alarm.alarm_name, "tidegate-test-cards-")}") && length(alarm.alarm_description) < 1000
    ])
    error_message = "Every alarm must be silent without data, and lead to its section of the runbook."
  }

  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.leaks, aws_cloudwatch_metric_alarm.quarantined] : length(coalesce(alarm.ok_actions, [])) == 0
    ])
    error_message = "That no more leaks or poison came must not read as if somebody had looked."
  }
}
