# What rings, in the order of how bad it is. Where nothing is said there were no records: that is no alarm.

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
  alarm_description   = "Batches fail in ${var.name}, and the stream waits at the failing record. In the log ${aws_cloudwatch_log_group.this.name}, the lines with level ERROR say where. A batch that keeps failing goes to the queue ${aws_sqs_queue.failures.name} by its place in the stream: read it back within a day of its being written."
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
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "iterator_age" {
  alarm_name          = "${var.name}-iterator-age"
  alarm_description   = "${var.name} is more than ${var.iterator_age_alarm_s} s behind its stream. After 24 h records are lost. If batches stop, the log ${aws_cloudwatch_log_group.this.name} says which call AWS refuses; if they pass, there is too much for it: raise parallelization_factor or memory_mb of the stream."
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
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

# The function answers where to go on instead of failing, so that Lambda counts no error.
resource "aws_cloudwatch_metric_alarm" "stopped" {
  alarm_name          = "${var.name}-stopped"
  alarm_description   = "For minutes AWS has stopped batches of policy ${var.policy}, or time has run out in them: they come again, and the stream waits. In the log ${aws_cloudwatch_log_group.this.name}, the lines that begin with stopped name the call and AWS's code. AccessDenied: the role or a key policy has changed. Throttling, 5xx: it passes by itself. Time ran out: raise timeout_s or memory_mb, or lower batch_size."
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
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

# --- Is it safe? -------------------------------------------------------------------------------------

# These two tell nobody when they recover: that no more came does not mean that somebody looked.
resource "aws_cloudwatch_metric_alarm" "leaks" {
  alarm_name          = "${var.name}-leaks"
  alarm_description   = "Policy ${var.policy} would have let personal data out: the leak guard recognised it in what a rule made, and redacted it. The events of this time with notes.leaks above 0 have [redacted] in the field at fault. Give that field another action; where it is a false alarm, keep with allow."
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
  alarm_description   = "Records cannot pass policy ${var.policy}: they are in ${var.buckets["quarantine"].name}, encrypted, and gone when their retention ends. In the log ${aws_cloudwatch_log_group.this.name}, the lines with level WARN say why and in which field. Mend the policy or what writes such records, then replay them."
  namespace           = "Tidegate"
  metric_name         = "RecordsQuarantined"
  dimensions          = { Policy = var.policy }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

# A share, because a busy hour has more of everything; and for a while, because a few old records are no news.
resource "aws_cloudwatch_metric_alarm" "mismatched" {
  alarm_name          = "${var.name}-mismatched"
  alarm_description   = "For a quarter of an hour policy ${var.policy} has redacted more than ${local.mismatched_alarm} values per record because their type or form is none that their action handles: what leaves is safe and of little use. Somebody has changed a field in the source. Try `tidegate policy check --sample` on new records, and fit the rule to them."
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.mismatched_alarm
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

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
  alarm_description   = "For three hours the scores of policy ${each.value} have been spread otherwise than in training (population stability index above ${local.drift_alarm}): what is flagged is no longer what the threshold promises. Ask which features have changed with `tidegate model drift` over the log ${aws_cloudwatch_log_group.this.name}. While profiles are new, they know too little: wait some weeks. Has a field changed in the source? Mend it there. Has the world changed? Train on recent events, compare with `tidegate model evaluate`, and release."
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.drift_alarm
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

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
  alarm_description   = "The newest version of ${var.name} flags more than ${local.flags_alarm} times what its model flagged when it was measured (${format("%.2f", each.value * 100)} %): the fraud desk drowns. Is the model new? `tidegate rollback` sends the stream to the version before. Is it not? A field has changed in the source, or there is an attack: look at flagged events and their reasons."
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

# What `tidegate release` watches: rings while any of the others does, and tells nobody, because those do.
resource "aws_cloudwatch_composite_alarm" "canary" {
  alarm_name        = "${var.name}-canary"
  alarm_description = "Whether anything is wrong with ${var.name}. While a canary runs, `tidegate release` takes it back when this rings. Look at the alarm that made it ring."
  alarm_rule        = join(" OR ", [for alarm in local.watched : "ALARM(\"${alarm.alarm_name}\")"])
}

locals {
  watched = concat(
    [
      aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.iterator_age, aws_cloudwatch_metric_alarm.stopped,
      aws_cloudwatch_metric_alarm.leaks, aws_cloudwatch_metric_alarm.quarantined, aws_cloudwatch_metric_alarm.mismatched,
    ],
    values(aws_cloudwatch_metric_alarm.drift), values(aws_cloudwatch_metric_alarm.flags),
  )
}
