# The stream's package, entered by another handler.
resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter queue is for asynchronous calls; the state machine waits for the answer and tries again
  #checkov:skip=CKV_AWS_117:it reaches AWS alone, by IAM; a VPC would add endpoints to pay for and nothing to protect
  #checkov:skip=CKV_AWS_173:the environment holds names and ARNs, no secret; a key would cost every cold start a request
  #checkov:skip=CKV_AWS_272:the package is reproducible and its hash is in the plan; signing needs a profile the account has to own
  function_name    = var.name
  description      = "Brings exports of the table of ${var.stream} through its gate (policy ${var.policy})"
  role             = aws_iam_role.this.arn
  handler          = "processor.backfill.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  publish          = true

  memory_size                    = var.memory_mb
  timeout                        = 900 # a file that takes longer goes on in the next call
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = {
      EXPORTS_BUCKET        = var.exports.name
      TABLE_ARN             = var.table_arn
      EVENTS_BUCKET         = var.buckets["events"].name
      AUDIT_BUCKET          = var.buckets["audit"].name
      QUARANTINE_BUCKET     = var.buckets["quarantine"].name
      ALERTS_TOPIC_ARN      = var.alerts_topic_arn
      LEDGER_TABLE          = var.ledger.name
      SUBJECTS_TABLE        = var.subjects.name
      PROFILES_TABLE        = var.profiles_table
      SUBJECT_CACHE_SECONDS = var.subject_cache_s
      DATA_KEY_ARN          = var.data_key_arn
      TOKEN_KEY_ARNS        = jsonencode(var.token_key_arns)
    }
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
  }

  tracing_config {
    mode = var.tracing
  }

  depends_on = [aws_iam_role_policy.this, var.after]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that the state machine calls"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}
