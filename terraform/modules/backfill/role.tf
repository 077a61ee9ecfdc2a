# Everything the function may do, in the order in which an item meets it. It has neither the stream nor the table.

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Runs ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust["lambda"].json
  permissions_boundary = var.boundary
}

resource "aws_iam_role_policy" "this" {
  name   = "gate"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.role.json
}

data "aws_iam_policy_document" "trust" {
  for_each = toset(["lambda", "states"])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

locals {
  partition = split(":", var.table_arn)[1]
  region    = split(":", var.table_arn)[3]
  account   = split(":", var.table_arn)[4]

  # By their names: they come after their roles.
  function_arn  = "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${var.name}"
  machine_arn   = "arn:${local.partition}:states:${local.region}:${local.account}:stateMachine:${var.name}"
  execution_arn = "arn:${local.partition}:states:${local.region}:${local.account}:execution:${var.name}"
}

data "aws_iam_policy_document" "role" {
  statement {
    sid       = "ReadExports"
    actions   = ["s3:GetObject"]
    resources = ["${var.exports.arn}/AWSDynamoDB/*/data/*"]
  }

  # Its intents. Heads of audit chains and the rates of detokenize are in the same table and not in its reach.
  statement {
    sid       = "KeepLedger"
    actions   = ["dynamodb:PutItem", "dynamodb:Query"]
    resources = [var.ledger.arn]

    condition {
      test     = "ForAllValues:StringNotLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["chains/*", "rates/*", "replays/*"]
    }
  }

  dynamic "statement" {
    for_each = var.by_subject ? [var.subjects.arn] : []

    content {
      sid       = "KeepSubjects"
      actions   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      resources = [statement.value]
    }
  }

  # From within the function alone.
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

  # Events of backfills alone, which are read back to tell an earlier success from a fence.
  statement {
    sid       = "WriteEvents"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${var.buckets["events"].arn}/events/${var.policy}/dt=*/hour=*/backfill=*"]
  }

  statement {
    sid     = "WriteAuditAndQuarantine"
    actions = ["s3:PutObject"]
    resources = [
      "${var.buckets["audit"].arn}/manifests/${var.policy}/dt=*/backfill=*",
      "${var.buckets["audit"].arn}/policies/${var.policy}/*",
      "${var.buckets["quarantine"].arn}/quarantine/${var.policy}/*",
    ]
  }

  statement {
    sid       = "KeepChains"
    actions   = ["dynamodb:PutItem"]
    resources = [var.ledger.arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["chains/stream/${var.policy}"]
    }
  }

  statement {
    sid       = "EncryptWhatItWrites"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.data_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["dynamodb", "s3"] : "${service}.${local.region}.amazonaws.com"]
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
    sid       = "Seal"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.data_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:purpose"
      values   = ["tidegate.encrypt", "tidegate.quarantine"]
    }
    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [local.function_arn]
    }
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
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

# --- The state machine's -----------------------------------------------------------------------------

# Its role calls one function, and sees of an export which files there are. It has a boundary of its own: the functions' forbids
# to call a function.
resource "aws_iam_role" "runner" {
  name                 = "${var.name}-runner"
  description          = "Runs the state machine ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust["states"].json
  permissions_boundary = aws_iam_policy.runner_boundary.arn
}

resource "aws_iam_role_policy" "runner" {
  name   = "runner"
  role   = aws_iam_role.runner.id
  policy = data.aws_iam_policy_document.runner.json
}

resource "aws_iam_policy" "runner_boundary" {
  name        = "${var.name}-runner-boundary"
  description = "The most that the state machine ${var.name} may do"
  policy      = data.aws_iam_policy_document.runner_boundary.json
}

data "aws_iam_policy_document" "runner_boundary" {
  source_policy_documents = [data.aws_iam_policy_document.runner.json]

  statement {
    sid    = "Never"
    effect = "Deny"
    actions = [
      "dynamodb:*", "iam:*", "kms:CreateGrant", "kms:GenerateMac", "kms:PutKeyPolicy", "kms:Sign", "s3:Delete*", "s3:PutBucket*",
      "sts:AssumeRole*",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "NeverRead"
    effect    = "Deny"
    actions   = ["s3:GetObject*"]
    resources = concat(["${var.exports.arn}/AWSDynamoDB/*/data/*"], [for bucket in values(var.buckets) : "${bucket.arn}/*"])
  }
}

data "aws_iam_policy_document" "runner" {
  statement {
    sid       = "ReadManifests"
    actions   = ["s3:GetObject"]
    resources = ["${var.exports.arn}/AWSDynamoDB/*/manifest-files.json"]
  }

  statement {
    sid       = "CallFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = ["${local.function_arn}:live"]
  }

  # A distributed map starts one execution for each file.
  # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
  statement {
    sid       = "StartMap"
    actions   = ["states:StartExecution"]
    resources = [local.machine_arn]
  }

  statement {
    sid       = "FollowMap"
    actions   = ["states:DescribeExecution", "states:StopExecution"]
    resources = ["${local.execution_arn}:*", "${local.execution_arn}/*"]
  }

  statement {
    sid       = "WriteResults"
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
    resources = ["${var.exports.arn}/results/*"]
  }

  statement {
    sid       = "UseBucket"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.data_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }

  # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
  statement {
    sid = "DeliverLogs"
    actions = [
      "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    ]
    resources = ["*"] # IAM knows no resource for these
  }

  statement {
    sid = "Trace"
    actions = [
      "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
    ]
    resources = ["*"] # X-Ray has no resources to name
  }
}
