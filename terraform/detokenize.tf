# Opens tokens, for callers who prove who they are and a purpose that the policy knows. It can open what is brought to it
# and reads no bucket: nobody gets at events this way.

module "detokenize" {
  source = "./modules/access"

  name        = local.access.detokenize
  description = "Opens tokens for a purpose of the policy, and records who asked for what"
  role_policy = data.aws_iam_policy_document.detokenize.json

  # What runs
  handler              = "processor.detokenize.handler"
  package              = "${path.root}/${var.access_package}"
  runtime              = var.runtime
  architecture         = var.architecture
  reserved_concurrency = var.access_concurrency.detokenize
  tracing              = var.tracing
  log_retention_days   = local.access_log_days
  environment = {
    AUDIT_BUCKET   = aws_s3_bucket.this["audit"].bucket
    LEDGER_TABLE   = aws_dynamodb_table.ledger.name
    SUBJECTS_TABLE = aws_dynamodb_table.subjects.name
    DATA_KEY_ARN   = aws_kms_key.data.arn
    TOKEN_KEY_ARNS = jsonencode({ for version, key in aws_kms_key.token : version => key.arn })
  }
  data_key_arn = aws_kms_key.data.arn

  # Who is told
  alarm_topic_arns = var.alarm_topic_arns
}

# Everything it may do, in the order in which a request meets it. Asking STS who calls takes no permission.
data "aws_iam_policy_document" "detokenize" {
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

  # How much a caller may still have in this hour.
  statement {
    sid       = "CountValues"
    actions   = ["dynamodb:UpdateItem"]
    resources = [local.reach.ledger]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["rates/*"]
    }
  }

  statement {
    sid       = "ReadSecrets"
    actions   = ["dynamodb:BatchGetItem"]
    resources = [local.reach.subjects]
  }

  # Of values that a policy encrypts. The quarantine's records have another context, and stay shut.
  statement {
    sid       = "OpenEncryptedValues"
    actions   = ["kms:Decrypt"]
    resources = [local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:purpose"
      values   = ["tidegate.encrypt"]
    }
  }

  # Before the answer. Written and never read.
  statement {
    sid       = "RecordAccess"
    actions   = ["s3:PutObject"]
    resources = ["${local.reach.audit}/records/detokenize/*"]
  }

  statement {
    sid       = "KeepChains"
    actions   = ["dynamodb:PutItem"]
    resources = [local.reach.ledger]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["chains/detokenize"]
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
    resources = ["${local.log_arns.detokenize}:*"]
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
