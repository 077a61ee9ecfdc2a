# Forgets people: destroys the secret of a person and answers with a signed receipt. It can destroy what makes tokens
# readable and read no value.

locals {
  erase = {
    description = "Destroys a person's secret and answers with a signed receipt"
    powers      = data.aws_iam_policy_document.erase.json
    environment = {
      RECEIPT_KEY_ARN        = aws_kms_key.receipts.arn
      SUBJECTS_RECOVERY_DAYS = var.subjects_recovery_days
      SUBJECT_CACHE_SECONDS  = var.erasure_in_force_s
    }
  }
}

# What it alone may do, in the order in which a request meets it. Asking STS who calls takes no permission.
data "aws_iam_policy_document" "erase" {
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

  statement {
    sid       = "SignReceipts"
    actions   = ["kms:Sign"]
    resources = [local.reach.receipts]

    condition {
      test     = "StringEquals"
      variable = "kms:SigningAlgorithm"
      values   = ["ECDSA_SHA_256"]
    }
    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [local.function_arns.erase]
    }
  }
}
