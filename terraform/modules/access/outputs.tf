output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "alias_arn" {
  description = "ARN of the alias `live`, which callers call."
  value       = aws_lambda_alias.live.arn
}

output "caller_policy_arn" {
  description = "Managed policy that allows to call it: attach it to the roles that may."
  value       = aws_iam_policy.caller.arn
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "log_group" {
  description = "The function's log."
  value       = aws_cloudwatch_log_group.this.name
}
