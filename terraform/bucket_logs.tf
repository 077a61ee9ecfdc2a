# Who asked what of the buckets, by S3 itself, within hours: whether something was read that no trail of ours tells of. It names
# roles, addresses and keys of objects, and no record. That it is whole S3 does not promise; CloudTrail's data events do.

resource "aws_s3_bucket" "logs" {
  #checkov:skip=CKV_AWS_18:it is where the logs go; logging it would log the logging
  #checkov:skip=CKV_AWS_144:it stays in this region as what it tells of does
  #checkov:skip=CKV_AWS_145:S3 delivers to a bucket with its own keys alone
  #checkov:skip=CKV2_AWS_62:nothing in the gate waits for an object
  bucket        = "${local.prefix}-bucket-logs-${local.account}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_logging" "this" {
  for_each = local.buckets

  bucket        = aws_s3_bucket.this[each.key].id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "${each.key}/"

  depends_on = [aws_s3_bucket_policy.logs] # which allows it
}

resource "aws_s3_bucket_logging" "exports" {
  for_each = aws_s3_bucket.exports

  bucket        = each.value.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "${each.key}/"

  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "logs" {
  bucket = aws_s3_bucket.logs.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "logs"
    status = "Enabled"

    filter {}
    expiration {
      days = var.bucket_logs_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 7
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.logs] # or the rule for noncurrent versions is refused
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.logs.json
}

data "aws_iam_policy_document" "logs" {
  # Of these buckets alone: S3 delivers for whoever names this one as a target.
  statement {
    sid       = "Deliver"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs.arn}/*"]

    principals {
      type        = "Service"
      identifiers = ["logging.s3.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = concat([for bucket in aws_s3_bucket.this : bucket.arn], [for bucket in aws_s3_bucket.exports : bucket.arn])
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }

  # What somebody else puts there would read as if S3 had said it.
  statement {
    sid       = "DeliveredOnly"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:PrincipalIsAWSService"
      values   = ["false"]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs.arn, "${aws_s3_bucket.logs.arn}/*"]

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

  # As of the other buckets; S3 itself names no region when it delivers.
  statement {
    sid       = "InRegions"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs.arn, "${aws_s3_bucket.logs.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "StringNotEquals"
      variable = "aws:RequestedRegion"
      values   = local.regions
    }
    condition {
      test     = "Bool"
      variable = "aws:PrincipalIsAWSService"
      values   = ["false"]
    }
  }

  statement {
    sid    = "NoReplication"
    effect = "Deny"
    actions = [
      "s3:GetObjectVersionForReplication", "s3:InitiateReplication", "s3:PutReplicationConfiguration",
      "s3:ReplicateDelete", "s3:ReplicateObject",
    ]
    resources = [aws_s3_bucket.logs.arn, "${aws_s3_bucket.logs.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

output "bucket_logs" {
  description = "Bucket of S3's access logs, one folder for each of the gate's buckets."
  value       = aws_s3_bucket.logs.bucket
}
