# Who replays: the power to open the quarantine and to call the functions on the streams, which nobody has until it is
# attached to somebody's role. It sees raw records, and what it sends to a function is taken for a record of the stream.

# For `tidegate replay`.
resource "aws_iam_policy" "replayer" {
  name        = "${local.prefix}-replayer"
  description = "Open the quarantine of ${local.prefix}, and send records through its gates once more"
  policy      = data.aws_iam_policy_document.replayer.json
}

locals {
  # Values rather than references, as in access.tf.
  replay = {
    quarantine = "arn:${data.aws_partition.current.partition}:s3:::${local.prefix}-quarantine-${local.account}"
    functions = [
      for stream in local.streams :
      "arn:${data.aws_partition.current.partition}:lambda:${var.region}:${local.account}:function:${stream.name}:live"
    ]
    queues = [
      for stream in local.streams :
      "arn:${data.aws_partition.current.partition}:sqs:${var.region}:${local.account}:${stream.name}-failures"
    ]
    # All streams of each table: what was held back may be of one that it had before.
    streams     = distinct([for table in values(local.source_tables) : "${table}/stream/*"])
    source_keys = distinct(compact([for stream in local.streams : stream.table == null ? stream.source_key_arn : null]))
  }
}

data "aws_iam_policy_document" "replayer" {
  # The function sanitises, under its own role: who replays cannot make a token or write an event.
  statement {
    sid       = "SendRecords"
    actions   = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"]
    resources = local.replay.functions
  }

  # Which records the mapping would have left out.
  statement {
    sid       = "SeeMappings"
    actions   = ["lambda:ListEventSourceMappings"]
    resources = ["*"] # IAM knows no resource for this action
  }

  # --- The quarantine ---

  statement {
    sid       = "ListQuarantine"
    actions   = ["s3:ListBucket"]
    resources = [local.replay.quarantine]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["quarantine/*"]
    }
  }

  statement {
    sid       = "ReadQuarantine"
    actions   = ["s3:GetObject"]
    resources = ["${local.replay.quarantine}/quarantine/*"]
  }

  # Beside what is out again. A record itself can be neither replaced nor deleted.
  statement {
    sid       = "MarkReplayed"
    actions   = ["s3:PutObject"]
    resources = ["${local.replay.quarantine}/quarantine/*.replayed"]
  }

  # Opens what is sealed for the quarantine and no encrypted value. What it seals is the secret of an export's ids.
  statement {
    sid       = "OpenQuarantine"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:purpose"
      values   = ["tidegate.quarantine"]
    }
  }

  # --- What Lambda gave up on ---

  statement {
    sid = "TakeFailures"
    actions = [
      "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
    ]
    resources = local.replay.queues
  }

  statement {
    sid       = "ReadStreams"
    actions   = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = local.replay.streams
  }

  dynamic "statement" {
    for_each = length(local.kinesis.arns) == 0 ? [] : [local.kinesis.arns]

    content {
      sid       = "ReadKinesis"
      actions   = ["kinesis:GetRecords", "kinesis:GetShardIterator"]
      resources = statement.value
    }
  }

  # --- What the ledger knows ---

  # For how long it remembers.
  statement {
    sid       = "ListPolicies"
    actions   = ["s3:ListBucket"]
    resources = [local.reach.audit]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["policies/*"]
    }
  }

  statement {
    sid       = "ReadPolicies"
    actions   = ["s3:GetObject"]
    resources = ["${local.reach.audit}/policies/*"]
  }

  # The sealed secret of an export's ids. Intents, chains and rates are out of reach.
  statement {
    sid       = "KeepExportIds"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem"]
    resources = [local.reach.ledger]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["replays/*"]
    }
  }

  statement {
    sid       = "UseTableQueuesAndBuckets"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in concat(["dynamodb", "s3", "sqs"], local.kinesis.services) : "${service}.${var.region}.amazonaws.com"]
    }
  }

  # The policies that lie in the audit bucket.
  statement {
    sid       = "OpenAudit"
    actions   = ["kms:Decrypt"]
    resources = [local.reach.audit_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  dynamic "statement" {
    for_each = length(local.replay.source_keys) == 0 ? [] : [local.replay.source_keys]

    content {
      sid       = "DecryptStreams"
      actions   = ["kms:Decrypt"]
      resources = statement.value

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for service in concat(["dynamodb"], local.kinesis.services) : "${service}.${var.region}.amazonaws.com"]
      }
    }
  }
}

output "replayer_policy_arn" {
  description = "Managed policy for who replays: all that `tidegate replay` needs. It opens raw records."
  value       = aws_iam_policy.replayer.arn
}
