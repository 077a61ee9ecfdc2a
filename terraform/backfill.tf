# Existing data through the same gate: a table's export, a state machine over its files, and a function with the stream's
# package. Nobody may start it until the managed policy is attached to somebody's role.

module "backfill" {
  source   = "./modules/backfill"
  for_each = var.backfills

  name     = local.backfills["${each.key}-backfill"]
  stream   = local.streams[each.key].name
  policy   = local.streams[each.key].policy
  boundary = aws_iam_policy.boundary.arn

  # What it reads
  table_arn = local.source_tables[each.key]
  exports   = { name = aws_s3_bucket.exports["exports"].bucket, arn = aws_s3_bucket.exports["exports"].arn }

  # What runs
  package              = local.streams[each.key].package
  runtime              = var.runtime
  architecture         = var.architecture
  memory_mb            = each.value.memory_mb
  files_at_once        = each.value.files_at_once
  reserved_concurrency = each.value.reserved_concurrency
  tracing              = var.tracing
  log_retention_days   = local.retention_days[local.streams[each.key].policy].logs

  # What it writes
  buckets          = { for name, bucket in aws_s3_bucket.this : name => { name = bucket.bucket, arn = bucket.arn } }
  alerts_topic_arn = aws_sns_topic.alerts.arn
  ledger           = { name = aws_dynamodb_table.ledger.name, arn = aws_dynamodb_table.ledger.arn }
  subjects         = { name = aws_dynamodb_table.subjects.name, arn = aws_dynamodb_table.subjects.arn }
  profiles_table   = aws_dynamodb_table.profiles.name
  subject_cache_s  = var.erasure_in_force_s
  by_subject       = local.by_subject[local.streams[each.key].policy]
  data_key_arn     = aws_kms_key.data.arn
  audit_key_arn    = aws_kms_key.audit.arn
  token_key_arns   = { for version, key in aws_kms_key.token : version => key.arn }

  # Who is told
  alarm_topic_arns = local.notices_topic_arns # a backfill can be started again at any time
  runbook_url      = var.runbook_url

  # As for a stream: the functions on people learn of a new token key first.
  after = [for function in module.access : function.alias_arn]
}

locals {
  # By name, as the functions in policy.tf are, for which the keys' policies are.
  backfills = { for name in keys(var.backfills) : "${name}-backfill" => "${local.streams[name].name}-backfill" }
  backfill = {
    function_roles = [for name in keys(local.backfills) : local.role_arns[name]]
    tables         = [for name in keys(var.backfills) : local.source_tables[name]]
    machines       = [for function in values(local.backfills) : "arn:${data.aws_partition.current.partition}:states:${var.region}:${local.account}:stateMachine:${function}"]
    executions = [
      for function in values(local.backfills) : "arn:${data.aws_partition.current.partition}:states:${var.region}:${local.account}:execution:${function}:*"
    ]
    runs = [
      for function in values(local.backfills) : "arn:${data.aws_partition.current.partition}:states:${var.region}:${local.account}:mapRun:${function}/*"
    ]
    log_arns = [
      for function in values(local.backfills) :
      "arn:${data.aws_partition.current.partition}:logs:${var.region}:${local.account}:log-group:/aws/vendedlogs/states/${function}"
    ]
    # One bucket for all of them, and none where there are none.
    bucket = length(var.backfills) == 0 ? {} : { exports = "${local.prefix}-exports-${local.account}" }
  }
}

# --- Exports: raw records, for days ------------------------------------------------------------------

resource "aws_s3_bucket" "exports" {
  #checkov:skip=CKV_AWS_21:raw records: what expires must be gone, and an export can be made again
  #checkov:skip=CKV_AWS_144:personal data lies in this region; the bucket's policy refuses to be copied to another
  #checkov:skip=CKV2_AWS_62:nothing in the gate waits for an object
  for_each = local.backfill.bucket

  bucket        = each.value
  force_destroy = true

  lifecycle {
    precondition {
      condition     = alltrue([for name in keys(var.backfills) : local.retention_days[local.streams[name].policy].ledger > var.exports_days])
      error_message = "exports_days must be less than retention_days.ledger of every policy with a backfill: what the ledger has forgotten would come out a second time."
    }
  }
}

resource "aws_s3_bucket_public_access_block" "exports" {
  for_each = aws_s3_bucket.exports

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "exports" {
  for_each = aws_s3_bucket.exports

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.reach.data_key
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "exports" {
  for_each = aws_s3_bucket.exports

  bucket = each.value.id

  rule {
    id     = "exports"
    status = "Enabled"

    filter {}
    expiration {
      days = var.exports_days
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "exports" {
  for_each = aws_s3_bucket.exports

  bucket = each.value.id
  policy = data.aws_iam_policy_document.exports[each.key].json
}

data "aws_iam_policy_document" "exports" {
  for_each = aws_s3_bucket.exports

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

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

  # Nobody else reads raw records here: not who starts a backfill, nor the state machine, nor an administrator.
  statement {
    sid       = "ReadByBackfillOnly"
    effect    = "Deny"
    actions   = ["s3:GetObject*"]
    resources = ["${each.value.arn}/AWSDynamoDB/*/data/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = local.backfill.function_roles
    }
  }

  statement {
    sid       = "RightKeyOnly"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnNotEquals"
      variable = "s3:x-amz-server-side-encryption-aws-kms-key-id"
      values   = [local.reach.data_key]
    }
    condition {
      test     = "Null"
      variable = "s3:x-amz-server-side-encryption-aws-kms-key-id"
      values   = ["false"]
    }
  }

  statement {
    sid       = "KmsOnly"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "StringNotEquals"
      variable = "s3:x-amz-server-side-encryption"
      values   = ["aws:kms"]
    }
    condition {
      test     = "Null"
      variable = "s3:x-amz-server-side-encryption"
      values   = ["false"]
    }
  }

  statement {
    sid       = "InRegions"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "StringNotEquals"
      variable = "aws:RequestedRegion"
      values   = local.regions
    }
  }

  statement {
    sid    = "NoReplication"
    effect = "Deny"
    actions = [
      "s3:GetObjectVersionForReplication", "s3:InitiateReplication", "s3:PutReplicationConfiguration",
      "s3:ReplicateDelete", "s3:ReplicateObject",
    ]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

# --- Who starts it -----------------------------------------------------------------------------------

# For `make backfill` and `tidegate backfill --env`. It has the table exported, which DynamoDB does in the caller's name, and reads no record of it.
resource "aws_iam_policy" "backfiller" {
  for_each = aws_s3_bucket.exports

  name        = "${local.prefix}-backfiller"
  description = "Bring what is in the tables of ${local.prefix} through its gates"
  policy      = data.aws_iam_policy_document.backfiller[each.key].json
}

data "aws_iam_policy_document" "backfiller" {
  for_each = aws_s3_bucket.exports

  # How the state machine and the table are called.
  statement {
    sid       = "FindBackfill"
    actions   = ["lambda:GetFunctionConfiguration"]
    resources = [for name in keys(local.backfills) : "${local.function_arns[name]}:live"]
  }

  statement {
    sid       = "ExportTables"
    actions   = ["dynamodb:DescribeTable", "dynamodb:ExportTableToPointInTime"]
    resources = local.backfill.tables
  }

  statement {
    sid       = "FollowExports"
    actions   = ["dynamodb:DescribeExport"]
    resources = [for table in local.backfill.tables : "${table}/export/*"]
  }

  # In the caller's name, by DynamoDB.
  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
  statement {
    sid       = "WriteExports"
    actions   = ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"]
    resources = ["${each.value.arn}/AWSDynamoDB/*"]
  }

  statement {
    sid       = "ReadSummariesAndResults"
    actions   = ["s3:GetObject"]
    resources = ["${each.value.arn}/AWSDynamoDB/*/manifest-summary.json", "${each.value.arn}/results/*"]
  }

  statement {
    sid       = "Start"
    actions   = ["states:ListExecutions", "states:StartExecution"]
    resources = local.backfill.machines
  }

  statement {
    sid       = "Follow"
    actions   = ["states:DescribeExecution", "states:ListMapRuns"]
    resources = local.backfill.executions
  }

  statement {
    sid       = "Count"
    actions   = ["states:DescribeMapRun"]
    resources = local.backfill.runs
  }

  statement {
    sid       = "UseBucket"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

output "backfills" {
  description = "Per stream with a backfill: the function and the state machine that bring its table's exports through the gate."
  value       = module.backfill
}

output "exports_bucket" {
  description = "Bucket of the tables' exports, which only the backfills' functions may read; null without any."
  value       = one([for bucket in aws_s3_bucket.exports : bucket.bucket])
}

output "backfiller_policy_arn" {
  description = "Managed policy for who starts backfills: all that `tidegate backfill --env` needs. It reads no record; null without any."
  value       = one([for policy in aws_iam_policy.backfiller : policy.arn])
}
