# Everything the function may do: what it alone may, which is written beside its name, and what takes either of them through
# a request.

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Runs ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.boundary
}

resource "aws_iam_role_policy" "this" {
  name   = "access"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.role.json
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

data "aws_iam_policy_document" "role" {
  source_policy_documents = [var.powers]

  # From within the function alone: its credentials derive nothing where they are carried to.
  # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
  statement {
    sid       = "DeriveTokenKeys"
    actions   = ["kms:GenerateMac"]
    resources = values(var.token_key_arns)

    condition {
      test     = "StringEquals"
      variable = "kms:MacAlgorithm"
      values   = ["HMAC_SHA_512"]
    }
    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [local.function_arn]
    }
  }

  # Before the answer. Written and never read.
  statement {
    sid       = "Record"
    actions   = ["s3:PutObject"]
    resources = ["${var.audit.arn}/records/${var.power}/*"]
  }

  # Where its audit chains end.
  statement {
    sid       = "KeepChains"
    actions   = ["dynamodb:PutItem"]
    resources = [var.ledger.arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["chains/${var.power}"]
    }
  }

  statement {
    sid       = "UseTables"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.data_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["dynamodb.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "SealAudit"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.audit_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda/${var.name}:*"]
  }

  dynamic "statement" {
    for_each = var.tracing == "Active" ? ["*"] : []

    content {
      sid       = "Trace"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = [statement.value] # X-Ray has no resources to name
    }
  }
}
