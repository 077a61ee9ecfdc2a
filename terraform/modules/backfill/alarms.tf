resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${var.name}-failed"
  alarm_description   = "A backfill of ${var.stream} ended before its end. Its state machine ${var.name} shows which file and which error. ${var.runbook_url}#backfill-failed"
  namespace           = "AWS/States"
  metric_name         = "ExecutionsFailed"
  dimensions          = { StateMachineArn = aws_sfn_state_machine.this.arn }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "quarantined" {
  alarm_name          = "${var.name}-quarantined"
  alarm_description   = "Items of an export of the table of ${var.stream} cannot pass and are in quarantine, and gone when their retention ends. ${var.runbook_url}#backfill-quarantined"
  namespace           = "Tidegate"
  metric_name         = "RecordsQuarantined"
  dimensions          = { Policy = "${var.policy}.backfill" }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}
