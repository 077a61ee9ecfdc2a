# Three buckets, because three groups of people read them: analysts the events, auditors the manifests, and only those who
# mend a policy the quarantine, which holds raw records.

locals {
  buckets = {
    events     = { folder = "events", recovery_days = 7 }
    audit      = { folder = "manifests", recovery_days = 7 }
    quarantine = { folder = "quarantine", recovery_days = 1 }
  }

  # Who may open events opens no manifest by that.
  bucket_keys = { events = local.reach.data_key, audit = local.reach.audit_key, quarantine = local.reach.data_key }

  # Of whoever had tokens opened or was erased, under whichever policies: as long as the longest of them asks. The policies
  # that lie beside the manifests do not expire: they are small, name nobody, and without them no manifest can be read.
  records_retention_days = { records = max([for days in values(local.expiry_days) : days.audit]...) }
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:personal data lies in this region; the bucket's policy refuses to be copied to another
  #checkov:skip=CKV2_AWS_62:nothing in the gate waits for an object; subscribers are told by the alerts topic
  for_each = local.buckets

  bucket              = "${local.prefix}-${each.key}-${local.account}"
  object_lock_enabled = each.key == "audit"
  force_destroy       = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    bucket_key_enabled = true # one request to KMS per bucket and while, not per object

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.bucket_keys[each.key]
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

# The lock lasts as long as the shortest audit retention among the policies, so that none is kept longer than it says.
resource "aws_s3_bucket_object_lock_configuration" "audit" {
  bucket = aws_s3_bucket.this["audit"].id

  rule {
    default_retention {
      mode = var.audit_lock_mode
      days = min([for days in values(local.retention_days) : days.audit]...)
    }
  }

  depends_on = [aws_s3_bucket_versioning.this] # S3 locks versions, not objects
}

# Retention is the policy's, whether a stream uses it still or not. What is deleted or replaced, by expiry or by hand, can be recovered for `recovery_days` more.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  dynamic "rule" {
    for_each = merge(
      { for policy, days in local.expiry_days : "${each.value.folder}/${policy}" => days[each.key] },
      each.key == "audit" ? local.records_retention_days : {},
      each.key == "events" ? { (local.results) = var.query_results_days } : {},
    )

    content {
      id     = rule.key
      status = contains(local.held[each.key], rule.key) ? "Disabled" : "Enabled"

      filter {
        prefix = "${rule.key}/"
      }
      expiration {
        days = rule.value
      }
      noncurrent_version_expiration {
        noncurrent_days = each.value.recovery_days
      }
    }
  }

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}
    expiration {
      expired_object_delete_marker = true
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this] # or the rules for noncurrent versions are refused
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  policy = data.aws_iam_policy_document.bucket[each.key].json
}

data "aws_iam_policy_document" "bucket" {
  for_each = aws_s3_bucket.this

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

  # What names no key is encrypted with the bucket's. What names another, none of KMS's, or brings its own is refused.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
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
      values   = [local.bucket_keys[each.key]]
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
    sid       = "NoKeyOfACaller"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Null"
      variable = "s3:x-amz-server-side-encryption-customer-algorithm"
      values   = ["false"]
    }
  }

  # Where the data may lie. A bucket that somebody made in another region under this policy answers nobody.
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
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

  dynamic "statement" {
    for_each = length(local.held[each.key]) > 0 ? [local.held[each.key]] : []

    content {
      sid       = "LegalHold"
      effect    = "Deny"
      actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      resources = [for folder in statement.value : "${each.value.arn}/${folder}/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }
    }
  }

  # Neither a source of replication nor its destination.
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
