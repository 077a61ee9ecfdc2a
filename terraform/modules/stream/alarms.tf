# What rings, in the order of how bad it is. Where nothing is said there were no records: that is no alarm. What needs a
# person now tells `alarm_topic_arns`, the rest `notices_topic_arns`; docs/runbook.md has a section for each.

locals {
  # Values per record. A field whose type changed makes one in each, or one in each image; what is odd by nature makes few.
  mismatched_alarm = 0.05

  # The population stability index from which scores are taken to have drifted (Siddiqi, "Credit risk scorecards", 2006), and how many records an hour must have to be judged by it.
  drift_alarm   = 0.25
  drift_records = 500

  # How many times its own share a model may flag, and how many records must have been in five minutes to judge it by that.
  flags_alarm   = 5
  flags_records = 200
}

# --- Is it keeping up? -------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "Batches fail in ${var.name}, and its stream waits at the failing record. ${var.runbook_url}#errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "iterator_age" {
  alarm_name          = "${var.name}-iterator-age"
  alarm_description   = "${var.name} is more than ${var.iterator_age_alarm_s} s behind its stream, which forgets records after 24 h. ${var.runbook_url}#iterator-age"
  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.iterator_age_alarm_s * 1000 # the metric is in ms
  treat_missing_data  = "notBreaching"
}

# The function answers where to go on instead of failing, so that Lambda counts no error.
resource "aws_cloudwatch_metric_alarm" "stopped" {
  alarm_name          = "${var.name}-stopped"
  alarm_description   = "For minutes AWS has refused a call to ${var.name}, or time has run out in its batches: they come again, and the stream waits. ${var.runbook_url}#stopped"
  namespace           = "Tidegate"
  metric_name         = "BatchesStopped"
  dimensions          = { Policy = var.policy }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}

# Harmless for a minute: Lambda tries again. If it lasts, `iterator_age` rings.
resource "aws_cloudwatch_metric_alarm" "throttled" {
  alarm_name          = "${var.name}-throttled"
  alarm_description   = "Lambda has turned calls of ${var.name} away for minutes: the function, or the account, has no room for more at once. ${var.runbook_url}#throttled"
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.notices_topic_arns
  ok_actions          = var.notices_topic_arns
}

# It rings for as long as a report lies there, so that it is no part of `behind`, which would be silent for as long.
resource "aws_cloudwatch_metric_alarm" "given_up" {
  alarm_name          = "${var.name}-given-up"
  alarm_description   = "Lambda has given up on batches of ${var.name}: their places in the stream are in the queue ${aws_sqs_queue.failures.name}, and the stream has the records for a day only. ${var.runbook_url}#given-up"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.failures.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

# What stops a stream makes several of these ring within minutes: one page, not three.
resource "aws_cloudwatch_composite_alarm" "behind" {
  alarm_name        = "${var.name}-behind"
  alarm_description = "The stream of ${var.name} is not getting through: batches fail or stop, or it is too far behind. ${var.runbook_url}#behind"
  alarm_rule        = join(" OR ", [for alarm in local.stops : "ALARM(\"${alarm.alarm_name}\")"])
  alarm_actions     = var.alarm_topic_arns
  ok_actions        = var.alarm_topic_arns
}

locals {
  stops = [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.iterator_age, aws_cloudwatch_metric_alarm.stopped]
}

# --- Is it safe? -------------------------------------------------------------------------------------

# These two tell nobody when they recover: that no more came does not mean that somebody looked.
resource "aws_cloudwatch_metric_alarm" "leaks" {
  alarm_name          = "${var.name}-leaks"
  alarm_description   = "Policy ${var.policy} would have let personal data out: the leak guard recognised it in what a rule made, and redacted it. ${var.runbook_url}#leaks"
  namespace           = "Tidegate"
  metric_name         = "LeaksStopped"
  dimensions          = { Policy = var.policy }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "quarantined" {
  alarm_name          = "${var.name}-quarantined"
  alarm_description   = "Records cannot pass policy ${var.policy}: they are in ${var.buckets["quarantine"].name}, sealed, and gone when their retention ends. ${var.runbook_url}#quarantined"
  namespace           = "Tidegate"
  metric_name         = "RecordsQuarantined"
  dimensions          = { Policy = var.policy }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.notices_topic_arns
}

# A share, because a busy hour has more of everything; and for a while, because a few old records are no news.
resource "aws_cloudwatch_metric_alarm" "mismatched" {
  alarm_name          = "${var.name}-mismatched"
  alarm_description   = "For a quarter of an hour policy ${var.policy} has redacted more than ${local.mismatched_alarm} values per record because their type or form is none that their action handles. ${var.runbook_url}#mismatched"
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.mismatched_alarm
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.notices_topic_arns
  ok_actions          = var.notices_topic_arns

  metric_query {
    id          = "share"
    expression  = "mismatched / records"
    label       = "Values redacted for their type or form, per record"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { mismatched = "ValuesMismatched", records = "Records" }

    content {
      id = metric_query.key

      metric {
        namespace   = "Tidegate"
        metric_name = metric_query.value
        dimensions  = { Policy = var.policy }
        stat        = "Sum"
        period      = 300
      }
    }
  }
}

# --- Is it useful? -----------------------------------------------------------------------------------

# Scores are percentiles of training: each tenth of them had as many records then. How far they are from that is
# the index: the sum over the tenths of (share - 1/10) * ln(share / (1/10)). One more record in each keeps LOG from 0.
resource "aws_cloudwatch_metric_alarm" "drift" {
  for_each = var.scores ? { scores = var.policy } : {}

  alarm_name          = "${var.name}-drift"
  alarm_description   = "For three hours the scores of policy ${each.value} have been spread otherwise than in training (population stability index above ${local.drift_alarm}). ${var.runbook_url}#drift"
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.drift_alarm
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.notices_topic_arns
  ok_actions          = var.notices_topic_arns

  metric_query {
    id          = "drift"
    expression  = "IF(records >= ${local.drift_records}, index, 0)"
    label       = "Population stability index of the scores"
    return_data = true
  }

  metric_query {
    id         = "index"
    expression = "(${join(" + ", [for at in range(10) : "((d${at} + 1) / even - 1) * LOG((d${at} + 1) / even)"])}) / 10"
  }

  metric_query {
    id         = "even"
    expression = "records / 10 + 1"
  }

  metric_query {
    id         = "records"
    expression = join(" + ", [for at in range(10) : "d${at}"])
  }

  dynamic "metric_query" {
    for_each = {
      d0 = "ScoreDecile0", d1 = "ScoreDecile1", d2 = "ScoreDecile2", d3 = "ScoreDecile3", d4 = "ScoreDecile4",
      d5 = "ScoreDecile5", d6 = "ScoreDecile6", d7 = "ScoreDecile7", d8 = "ScoreDecile8", d9 = "ScoreDecile9",
    }

    content {
      id = metric_query.key

      metric {
        namespace   = "Tidegate"
        metric_name = metric_query.value
        dimensions  = { Policy = var.policy }
        stat        = "Sum"
        period      = 3600
      }
    }
  }
}

# Of the newest version alone: while it is a canary, what it does would be lost in what the other one does.
resource "aws_cloudwatch_metric_alarm" "flags" {
  for_each = var.scores && var.flag_rate != null ? { scores = var.flag_rate } : {}

  alarm_name          = "${var.name}-flags"
  alarm_description   = "The newest version of ${var.name} flags more than ${local.flags_alarm} times what its model flagged when it was measured (${format("%.2f", each.value * 100)} %). ${var.runbook_url}#flags"
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = min(0.5, local.flags_alarm * max(each.value, 0.001))
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  metric_query {
    id          = "share"
    expression  = "IF(records >= ${local.flags_records}, flagged / records, 0)"
    label       = "Share of the newest version's records that are flagged"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { flagged = "EventsFlagged", records = "Records" }

    content {
      id = metric_query.key

      metric {
        namespace   = "Tidegate"
        metric_name = metric_query.value
        dimensions  = { Policy = var.policy, Version = aws_lambda_function.this.version }
        stat        = "Sum"
        period      = 300
      }
    }
  }
}

# --- Is what is new any good? ------------------------------------------------------------------------

# What `tidegate release` watches: rings while any does that a version can be the cause of, and tells nobody, because those do.
resource "aws_cloudwatch_composite_alarm" "canary" {
  alarm_name        = "${var.name}-canary"
  alarm_description = "Something is wrong with ${var.name} that its newest version may have caused: `tidegate release` takes a canary back. ${var.runbook_url}#canary"
  alarm_rule        = join(" OR ", [for alarm in local.watched : "ALARM(\"${alarm.alarm_name}\")"])
}

locals {
  watched = concat(
    local.stops,
    [aws_cloudwatch_metric_alarm.leaks, aws_cloudwatch_metric_alarm.quarantined, aws_cloudwatch_metric_alarm.mismatched],
    values(aws_cloudwatch_metric_alarm.drift), values(aws_cloudwatch_metric_alarm.flags),
  )
}
