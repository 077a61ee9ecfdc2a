# Forgets people: destroys the secret of a person and answers with a signed receipt. It can destroy what makes tokens
# readable and read no value.

module "erase" {
  source = "./modules/access"

  name        = local.access.erase
  description = "Destroys a person's secret and answers with a signed receipt"
  role_policy = data.aws_iam_policy_document.erase.json

  # What runs
  handler              = "processor.erase.handler"
  package              = "${path.root}/${var.access_package}"
  runtime              = var.runtime
  architecture         = var.architecture
  reserved_concurrency = var.access_concurrency.erase
  tracing              = var.tracing
  log_retention_days   = local.access_log_days
  environment = {
    AUDIT_BUCKET           = aws_s3_bucket.this["audit"].bucket
    LEDGER_TABLE           = aws_dynamodb_table.ledger.name
    SUBJECTS_TABLE         = aws_dynamodb_table.subjects.name
    SUBJECTS_RECOVERY_DAYS = var.subjects_recovery_days
    SUBJECT_CACHE_SECONDS  = var.erasure_in_force_s
    RECEIPT_KEY_ARN        = aws_kms_key.receipts.arn
    TOKEN_KEY_ARNS         = jsonencode({ for version, key in aws_kms_key.token : version => key.arn })
  }
  data_key_arn = aws_kms_key.data.arn

  # Who is told
  alarm_topic_arns = var.alarm_topic_arns
}

# Everything it may do, in the order in which a request meets it. Asking STS who calls takes no permission.
data "aws_iam_policy_document" "erase" {
  statement {
    sid       = "DeriveTokenKeys"
    actions   = ["kms:GenerateMac"]
    resources = local.reach.token_keys

    condition {
      test     = "StringEquals"
      variable = "kms:MacAlgorithm"
      values   = ["HMAC_SHA_512"]
    }
  }

  # Whether there is such a person, and when they were erased before: all but the secret.
  statement {
    sid       = "SeeWhoIsThere"
    actions   = ["dynamodb:GetItem"]
    resources = [local.reach.subjects]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:Attributes"
      values   = ["created_at", "erased_at", "previous", "subject"]
    }
    condition {
      test     = "StringEquals"
      variable = "dynamodb:Select" # without it, a request that names no attribute would get them all
      values   = ["SPECIFIC_ATTRIBUTES"]
    }
  }

  # An update may answer with what it replaced: not here.
  statement {
    sid       = "DestroySecrets"
    actions   = ["dynamodb:UpdateItem"]
    resources = [local.reach.subjects]

    condition {
      test     = "StringEquals"
      variable = "dynamodb:ReturnValues"
      values   = ["NONE"]
    }
  }

  # Before the answer. Written and never read.
  statement {
    sid       = "RecordErasure"
    actions   = ["s3:PutObject"]
    resources = ["${local.reach.audit}/records/erase/*"]
  }

  statement {
    sid       = "KeepChains"
    actions   = ["dynamodb:PutItem"]
    resources = [local.reach.ledger]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["chains/erase"]
    }
  }

  statement {
    sid       = "SignReceipts"
    actions   = ["kms:Sign"]
    resources = [local.reach.receipts]

    condition {
      test     = "StringEquals"
      variable = "kms:SigningAlgorithm"
      values   = ["ECDSA_SHA_256"]
    }
  }

  statement {
    sid       = "UseTablesAndBucket"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["dynamodb", "s3"] : "${service}.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_arns.erase}:*"]
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
