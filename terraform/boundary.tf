# The outermost limit of what any function may do, whatever its role says one day: a role has what both allow. Roles are changed
# with the functions; this is changed when the gate learns to reach something else. It goes by what there is in the
# environment rather than by stream, so that it does not grow with them: a managed policy has room for 6,144 characters.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html

resource "aws_iam_policy" "boundary" {
  name        = "${local.prefix}-boundary"
  description = "The most that a function of ${local.prefix} may do"
  policy      = data.aws_iam_policy_document.boundary.json
}

data "aws_iam_policy_document" "boundary" {
  # --- What it may reach ---

  statement {
    sid       = "Remember"
    actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    resources = [local.reach.ledger, local.reach.profiles, local.reach.subjects]
  }

  # Of the tables themselves, nothing.
  statement {
    sid       = "ReadStreams"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = local.boundary.streams
  }

  dynamic "statement" {
    for_each = length(local.kinesis.arns) == 0 ? [] : [local.kinesis.arns]

    content {
      sid = "ReadKinesis"
      actions = [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards",
      ]
      resources = statement.value
    }
  }

  statement {
    sid       = "FindStreamsAndTrace"
    actions   = concat(["dynamodb:ListStreams", "xray:PutTelemetryRecords", "xray:PutTraceSegments"], [for service in local.kinesis.services : "${service}:ListStreams"])
    resources = ["*"] # IAM knows no resource for these
  }

  statement {
    sid     = "Write"
    actions = ["s3:PutObject"]
    resources = concat(
      ["${local.reach.events}/events/*", "${local.replay.quarantine}/quarantine/*"],
      [for folder in ["manifests", "policies", "records"] : "${local.reach.audit}/${folder}/*"],
    )
  }

  statement {
    sid       = "ReadEvents"
    actions   = ["s3:GetObject"]
    resources = ["${local.reach.events}/events/*"]
  }

  dynamic "statement" {
    for_each = values(local.backfill.bucket)

    content {
      sid       = "ReadExports"
      actions   = ["s3:GetObject"]
      resources = ["arn:${data.aws_partition.current.partition}:s3:::${statement.value}/AWSDynamoDB/*/data/*"]
    }
  }

  statement {
    sid       = "UseKeys"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = concat([local.reach.data_key], local.replay.source_keys)
  }

  statement {
    sid       = "SealAudit"
    actions   = ["kms:GenerateDataKey"]
    resources = [local.reach.audit_key]
  }

  statement {
    sid       = "DeriveAndSign"
    actions   = ["kms:GenerateMac", "kms:Sign"]
    resources = concat(local.reach.token_keys, [local.reach.receipts])
  }

  statement {
    sid       = "Tell"
    actions   = ["sns:Publish", "sqs:SendMessage"]
    resources = [for service, name in { sns = "alerts", sqs = "*-failures" } : "arn:${data.aws_partition.current.partition}:${service}:${var.region}:${local.account}:${local.prefix}-${name}"]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${local.account}:log-group:/aws/lambda/${local.prefix}-*:*"]
  }

  # --- What it may not, whoever allows it ---

  # The policy of a bucket, a key or a queue can give a session of a role more than its boundary does. Not this.
  statement {
    sid    = "Never"
    effect = "Deny"
    actions = [
      "dynamodb:DeleteItem", "dynamodb:DeleteTable", "dynamodb:Export*", "dynamodb:Scan",
      "iam:*",
      "kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ReEncrypt*", "kms:ScheduleKeyDeletion",
      "lambda:*",
      "logs:Delete*",
      "s3:BypassGovernanceRetention", "s3:Delete*", "s3:List*", "s3:PutBucket*", "s3:PutLifecycleConfiguration",
      "s3:PutObjectAcl", "s3:PutObjectLegalHold", "s3:PutObjectRetention",
      "sts:AssumeRole*",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "NeverRead"
    effect    = "Deny"
    actions   = ["s3:GetObject*"]
    resources = ["${local.reach.audit}/*", "${local.replay.quarantine}/*"]
  }
}

locals {
  boundary = {
    # Tables that exist have names of their own; those of the streams' own tables begin with the prefix, mostly.
    streams = distinct(concat(
      ["arn:${data.aws_partition.current.partition}:dynamodb:${var.region}:${local.account}:table/${local.prefix}-*/stream/*"],
      [for stream in local.replay.streams : stream if !startswith(split("/", stream)[1], "${local.prefix}-")],
    ))
  }
}
