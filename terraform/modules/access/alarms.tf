resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "Requests fail in ${var.name}: who asked got no answer. ${var.runbook_url}#access-errors"
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
  alarm_actions       = var.notices_topic_arns
  ok_actions          = var.notices_topic_arns
}

# One refusal is a mistake; many are somebody trying what opens.
resource "aws_cloudwatch_metric_alarm" "refused" {
  alarm_name          = "${var.name}-refused"
  alarm_description   = "${var.name} refused more than ${var.refused_alarm} requests in five minutes: somebody keeps asking for what they may not have. ${var.runbook_url}#access-refused"
  namespace           = "Tidegate"
  metric_name         = "RequestsRefused"
  dimensions          = { Function = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.refused_alarm
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}
