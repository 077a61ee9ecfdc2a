resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter queue is for asynchronous calls; the mapping has its own failure queue
  #checkov:skip=CKV_AWS_117:it reaches AWS alone, by IAM; a VPC would add endpoints to pay for and nothing to protect
  #checkov:skip=CKV_AWS_173:the environment holds names and ARNs, no secret; a key would cost every cold start a request
  #checkov:skip=CKV_AWS_272:the package is reproducible and its hash is in the plan; signing needs a profile the account has to own
  function_name    = var.name
  description      = "${var.release}, reaches ${local.reaches == "" ? "nothing more" : local.reaches} (policy ${var.policy})"
  role             = aws_iam_role.this.arn
  handler          = "processor.handler.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  publish          = true

  memory_size                    = var.memory_mb
  timeout                        = var.timeout_s
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = merge({
      EVENTS_BUCKET         = var.buckets["events"].name
      AUDIT_BUCKET          = var.buckets["audit"].name
      QUARANTINE_BUCKET     = var.buckets["quarantine"].name
      ALERTS_TOPIC_ARN      = var.alerts_topic_arn
      LEDGER_TABLE          = var.ledger.name
      SUBJECTS_TABLE        = var.subjects.name
      PROFILES_TABLE        = var.profiles.name
      SUBJECT_CACHE_SECONDS = var.subject_cache_s
      DATA_KEY_ARN          = var.data_key_arn
      TOKEN_KEY_ARNS        = jsonencode(var.token_key_arns)
      # The ARN of a Kinesis data stream does not say the table: for who replays.
    }, var.kinesis == null ? {} : { TABLE_ARN = var.kinesis.table_arn })
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
  }

  tracing_config {
    mode = var.tracing
  }

  # The mapping starts reading at once: the role must be able to before there is anything to run.
  depends_on = [aws_iam_role_policy.this, var.after]
}

# What the mapping calls. `tidegate release` and `tidegate rollback` move it between two applies; the next plan shows that.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = var.canary == null ? "The version that the stream is sent to" : "Canary: ${var.canary.percent} % go to the newest version, the rest to version ${var.canary.stable}"
  function_name    = aws_lambda_function.this.function_name
  function_version = var.canary == null ? aws_lambda_function.this.version : var.canary.stable

  # Lambda draws for each call: a batch that comes again may meet the other version.
  dynamic "routing_config" {
    for_each = var.canary == null ? [] : [var.canary.percent / 100]

    content {
      additional_version_weights = { (aws_lambda_function.this.version) = routing_config.value }
    }
  }

  lifecycle {
    precondition {
      condition     = var.canary == null || try(var.canary.stable != aws_lambda_function.this.version, true)
      error_message = "A canary beside version ${try(var.canary.stable, "")} needs a newer one, and this apply publishes none: the package is the one in force."
    }
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  for_each = var.provisioned_concurrency > 0 ? { live = var.provisioned_concurrency } : {}

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = each.value
}

locals {
  # What an earlier version may want back when the stream is sent to it again; `tidegate rollback` reads it in the description.
  own_reach = [for name, reached in { alerts = var.publishes_alerts, erase = var.erases_removed, profiles = var.scores, subjects = var.by_subject } : name if reached]
  reaches   = join(" ", local.own_reach)

  # While a canary runs there are two versions and one role: it has what either needs.
  reach = setunion(local.own_reach, try(var.canary.reach, []))

  log_retention_choices = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn

  lifecycle {
    precondition {
      condition     = contains(local.log_retention_choices, var.log_retention_days)
      error_message = "Policy ${var.policy}: CloudWatch cannot keep a log for ${var.log_retention_days} days. Set retention_days.logs to one of ${join(", ", local.log_retention_choices)}."
    }
  }
}
