# Everything the function may do, in the order in which a record meets it.

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Runs ${var.name}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.boundary
}

resource "aws_iam_role_policy" "this" {
  name   = "gate"
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

locals {
  partition = split(":", var.stream_arn)[1]
  region    = split(":", var.stream_arn)[3]
  account   = split(":", var.stream_arn)[4]

  # What Lambda reads the stream by, in the name of this role.
  # https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
  reading = var.kinesis == null ? {
    service = "dynamodb"
    actions = tolist(["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"])
    } : {
    service = "kinesis"
    actions = tolist([
      "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards",
    ])
  }

  # By its name: the function comes after its role.
  function_arn = "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${var.name}"
}

data "aws_iam_policy_document" "role" {
  statement {
    sid       = "ReadStream"
    actions   = local.reading.actions
    resources = [var.stream_arn]
  }

  statement {
    sid       = "FindStream"
    actions   = ["${local.reading.service}:ListStreams"]
    resources = ["*"] # IAM knows no resource for this action; it tells names, never records
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
    for_each = contains(local.reach, "subjects") ? [var.subjects.arn] : []

    content {
      sid       = "KeepSubjects"
      actions   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = contains(local.reach, "erase") ? [var.subjects.arn] : []

    content {
      sid       = "EraseWhoWasRemoved"
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = contains(local.reach, "profiles") ? [var.profiles.arn] : []

    content {
      sid       = "KeepProfiles"
      actions   = ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"]
      resources = [statement.value]
    }
  }

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

  # Events are read back to tell an earlier success from a fence, and to alert of what another run has written.
  statement {
    sid       = "WriteEvents"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${var.buckets["events"].arn}/events/${var.policy}/*"]
  }

  # Written and never read by the gate.
  statement {
    sid     = "WriteAuditAndQuarantine"
    actions = ["s3:PutObject"]
    resources = concat(
      [
        "${var.buckets["audit"].arn}/manifests/${var.policy}/*",
        "${var.buckets["audit"].arn}/policies/${var.policy}/*",
        "${var.buckets["quarantine"].arn}/quarantine/${var.policy}/*",
      ],
      contains(local.reach, "erase") ? ["${var.buckets["audit"].arn}/records/erase/*"] : [],
    )
  }

  # Where its audit chains end.
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

  # PublishBatch is authorised as Publish.
  dynamic "statement" {
    for_each = contains(local.reach, "alerts") ? [var.alerts_topic_arn] : []

    content {
      sid       = "PublishAlerts"
      actions   = ["sns:Publish"]
      resources = [statement.value]
    }
  }

  statement {
    sid       = "ReportFailures"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failures.arn]
  }

  statement {
    sid       = "EncryptWhatItWrites"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.data_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["dynamodb", "s3", "sns", "sqs"] : "${service}.${local.region}.amazonaws.com"]
    }
  }

  # Manifests and records: sealed with a key that this role cannot open them with.
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

  # The gate seals records for the quarantine, and the values that the policy encrypts, itself: whoever may read the
  # buckets cannot read them, and this role cannot open them.
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

  dynamic "statement" {
    for_each = var.source_key_arn == null ? [] : [var.source_key_arn]

    content {
      sid       = "DecryptStream"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["${local.reading.service}.${local.region}.amazonaws.com"]
      }
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
