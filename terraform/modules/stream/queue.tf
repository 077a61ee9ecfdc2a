# Where Lambda reports a batch it gave up on: shard and sequence numbers, no record. The records can be read back until the
# stream forgets them, a day after they were written; the reports are kept a fortnight for those who ask why.
resource "aws_sqs_queue" "failures" {
  name                              = "${var.name}-failures"
  message_retention_seconds         = 1209600
  kms_master_key_id                 = var.data_key_arn
  kms_data_key_reuse_period_seconds = 300
  policy                            = data.aws_iam_policy_document.failures.json
}

locals {
  # Written out rather than referred to, so that the queue is created with its policy and never without.
  failures_arn = "arn:${local.partition}:sqs:${local.region}:${split(":", aws_iam_role.this.arn)[4]}:${var.name}-failures"
}

data "aws_iam_policy_document" "failures" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [local.failures_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # A replay trusts what the queue says.
  statement {
    sid       = "MappingOnly"
    effect    = "Deny"
    actions   = ["sqs:SendMessage"]
    resources = [local.failures_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [aws_iam_role.this.arn]
    }
  }
}
