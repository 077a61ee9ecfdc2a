# A function that people call about people, one request at a time.

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter queue is for asynchronous calls; who asks here waits for the answer
  #checkov:skip=CKV_AWS_117:it reaches AWS alone, by IAM; a VPC would add endpoints to pay for and nothing to protect
  #checkov:skip=CKV_AWS_173:the environment holds names and ARNs, no secret; a key would cost every cold start a request
  #checkov:skip=CKV_AWS_272:the package is reproducible and its hash is in the plan; signing needs a profile the account has to own
  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  handler          = "processor.${var.power}.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  publish          = true

  memory_size                    = var.memory_mb
  timeout                        = var.timeout_s
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = merge(var.environment, {
      AUDIT_BUCKET   = var.audit.name
      LEDGER_TABLE   = var.ledger.name
      SUBJECTS_TABLE = var.subjects_table
      TOKEN_KEY_ARNS = jsonencode(var.token_key_arns)

      # A caller's proof is signed for the STS of this region, so that is where it has to go.
      AWS_STS_REGIONAL_ENDPOINTS = "regional"
    })
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
    resources = ["${local.function_arn}:live"]
  }
}

# ARNs written out rather than referred to: the alias moves with every version, and what names it must not seem to.
locals {
  partition = split(":", var.data_key_arn)[1]
  region    = split(":", var.data_key_arn)[3]
  account   = split(":", var.data_key_arn)[4]

  function_arn = "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${var.name}"
}
