# A function that people call about people, one request at a time: what it may do is written where it is called.

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter queue is for asynchronous calls; who asks here waits for the answer
  #checkov:skip=CKV_AWS_117:it reaches AWS alone, by IAM; a VPC would add endpoints to pay for and nothing to protect
  #checkov:skip=CKV_AWS_173:the environment holds names and ARNs, no secret; a key would cost every cold start a request
  #checkov:skip=CKV_AWS_272:the package is reproducible and its hash is in the plan; signing needs a profile the account has to own
  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  handler          = var.handler
  runtime          = var.runtime
  architectures    = [var.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  publish          = true

  memory_size                    = var.memory_mb
  timeout                        = var.timeout_s
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = var.environment
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
  }

  tracing_config {
    mode = var.tracing
  }

  depends_on = [aws_iam_role_policy.this]
}

# What callers call. Rolling back is pointing it at an earlier version.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that is called"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}

# --- What it may do ----------------------------------------------------------------------------------

resource "aws_iam_role" "this" {
  name               = var.name
  description        = "Runs ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  name   = "access"
  role   = aws_iam_role.this.id
  policy = var.role_policy
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

# --- Who may call it ---------------------------------------------------------------------------------

# Nobody, until this is attached to the role of somebody. The function asks each caller for a proof besides.
resource "aws_iam_policy" "caller" {
  name        = "${var.name}-caller"
  description = "Call ${var.name}, and nothing else"
  policy      = data.aws_iam_policy_document.caller.json
}

data "aws_iam_policy_document" "caller" {
  statement {
    sid       = "Call"
    actions   = ["lambda:InvokeFunction"]
    resources = ["arn:${local.partition}:lambda:${local.region}:${local.account}:function:${var.name}:live"]
  }
}

# The alias written out rather than referred to: it moves with every version, and the policy must not seem to.
locals {
  partition = split(":", var.data_key_arn)[1]
  region    = split(":", var.data_key_arn)[3]
  account   = split(":", var.data_key_arn)[4]
}
