output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "alias_arn" {
  description = "ARN of the alias `live`, which the stream is sent to."
  value       = aws_lambda_alias.live.arn
}

output "mapping_id" {
  description = "UUID of the event source mapping."
  value       = aws_lambda_event_source_mapping.this.uuid
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "failure_queue_url" {
  description = "URL of the queue of batches that Lambda gave up on."
  value       = aws_sqs_queue.failures.url
}

output "log_group" {
  description = "The function's log."
  value       = aws_cloudwatch_log_group.this.name
}

output "stream_arn" {
  description = "ARN of the stream it reads: of DynamoDB's or Kinesis."
  value       = var.stream_arn
}

output "publishes_alerts" {
  description = "Whether the policy sends anything to the alerts topic."
  value       = var.publishes_alerts
}

output "by_subject" {
  description = "Whether a rule of the policy goes by the person."
  value       = var.by_subject
}

output "erases_removed" {
  description = "Whether the removal of a record erases the person."
  value       = var.erases_removed
}
