# Four kinds of key. The data key encrypts what lies in AWS, but for the audit trail, which has a key of its own. The token
# keys never leave KMS: the functions derive their token and pseudonym keys from their MACs, so who may make and open tokens
# is a question of IAM alone. The receipts key signs what an erasure did.
#
# Their policies separate three powers: managing a key (the account's administrators, who cannot use it), using it, and
# letting an AWS service use it. Use needs a grant in IAM as well.

# --- Data key ----------------------------------------------------------------------------------------

resource "aws_kms_key" "data" {
  description             = "${local.prefix}: encrypts events, quarantine, tables, topics, queues and logs"
  enable_key_rotation     = true
  rotation_period_in_days = 365
  deletion_window_in_days = var.key_deletion_window_days
  policy                  = data.aws_iam_policy_document.data_key.json
}

resource "aws_kms_alias" "data" {
  name          = "alias/${local.prefix}-data"
  target_key_id = aws_kms_key.data.key_id
}

data "aws_iam_policy_document" "data_key" {
  source_policy_documents = [data.aws_iam_policy_document.key_management.json]

  statement {
    sid       = "UseThroughServices"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"] # a key policy's only resource is its key

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in concat(["dynamodb", "s3", "sns", "sqs"], local.kinesis.services) : "${service}.${var.region}.amazonaws.com"]
    }
  }

  # The quarantine seals records before they reach S3, and `encrypt` single values. Opening either takes the same
  # context, so it is in the trail who did.
  statement {
    sid       = "SealAndOpen"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:purpose"
      values   = ["tidegate.encrypt", "tidegate.quarantine"]
    }
  }

  # DynamoDB holds a grant for as long as a table is encrypted with the key.
  statement {
    sid       = "GrantToDynamoDB"
    actions   = ["kms:CreateGrant"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["dynamodb.${var.region}.amazonaws.com"]
    }
    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }

  statement {
    sid       = "EncryptLogs"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = concat(values(local.log_arns), local.backfill.log_arns)
    }
  }
}

# --- Audit key ---------------------------------------------------------------------------------------

# Those who write the trail seal with it and open nothing; those who read events have another.
resource "aws_kms_key" "audit" {
  description             = "${local.prefix}: encrypts manifests and records of the audit trail"
  enable_key_rotation     = true
  rotation_period_in_days = 365
  deletion_window_in_days = var.key_deletion_window_days
  policy                  = data.aws_iam_policy_document.audit_key.json
}

resource "aws_kms_alias" "audit" {
  name          = "alias/${local.prefix}-audit"
  target_key_id = aws_kms_key.audit.key_id
}

data "aws_iam_policy_document" "audit_key" {
  #checkov:skip=CKV_AWS_111:a key policy's only resource is its key
  #checkov:skip=CKV_AWS_356:a key policy's only resource is its key
  source_policy_documents = [data.aws_iam_policy_document.key_management.json]

  statement {
    sid       = "UseThroughS3"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  # Nor by a grant of IAM, should somebody make one.
  statement {
    sid       = "NotOpenedByFunctions"
    effect    = "Deny"
    actions   = ["kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = values(local.role_arns)
    }
  }
}

# --- Token keys --------------------------------------------------------------------------------------

resource "aws_kms_key" "token" {
  for_each = toset([for version in var.token_key_versions : tostring(version)])

  description              = "${local.prefix}: tokens and pseudonyms, version ${each.key}"
  key_usage                = "GENERATE_VERIFY_MAC"
  customer_master_key_spec = "HMAC_512"
  deletion_window_in_days  = var.key_deletion_window_days
  policy                   = data.aws_iam_policy_document.token_key.json
}

resource "aws_kms_alias" "token" {
  for_each = aws_kms_key.token

  name          = "alias/${local.prefix}-token-${each.key}"
  target_key_id = each.value.key_id
}

data "aws_iam_policy_document" "token_key" {
  source_policy_documents = [data.aws_iam_policy_document.key_management.json]

  statement {
    sid       = "Derive"
    actions   = ["kms:GenerateMac"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = values(local.role_arns)
    }
  }
}

# --- Receipts key ------------------------------------------------------------------------------------

# Asymmetric, so that a receipt can be checked years later and elsewhere, with the public key alone.
resource "aws_kms_key" "receipts" {
  description              = "${local.prefix}: signs the receipts of erasures"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P256"
  deletion_window_in_days  = var.key_deletion_window_days
  policy                   = data.aws_iam_policy_document.receipts_key.json
}

resource "aws_kms_alias" "receipts" {
  name          = "alias/${local.prefix}-receipts"
  target_key_id = aws_kms_key.receipts.key_id
}

data "aws_iam_policy_document" "receipts_key" {
  #checkov:skip=CKV_AWS_111:a key policy's only resource is its key
  #checkov:skip=CKV_AWS_356:a key policy's only resource is its key
  source_policy_documents = [data.aws_iam_policy_document.key_management.json]

  # A signature says that the erase function saw to it, so nobody else can make one.
  statement {
    sid       = "Sign"
    actions   = ["kms:Sign"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [local.role_arns.erase]
    }
  }

  statement {
    sid       = "Check"
    actions   = ["kms:GetPublicKey", "kms:Verify"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
  }
}

# --- All ---------------------------------------------------------------------------------------------

data "aws_iam_policy_document" "key_management" {
  #checkov:skip=CKV_AWS_109:whoever manages a key manages its permissions; without this the key could never be changed again
  #checkov:skip=CKV_AWS_111:a key policy's only resource is its key
  #checkov:skip=CKV_AWS_356:a key policy's only resource is its key
  statement {
    sid = "Manage"
    actions = [
      "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
      "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
      "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:ListRetirableGrants", "kms:ListKeyRotations",
      "kms:PutKeyPolicy", "kms:RetireGrant", "kms:RevokeGrant", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion",
      "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${local.account}:root"]
    }
  }
}
