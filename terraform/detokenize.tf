# Opens tokens, for callers who prove who they are and a purpose that the policy knows. It can open what is brought to it
# and reads no bucket: nobody gets at events this way.

locals {
  detokenize = {
    description = "Opens tokens for a purpose of the policy, and records who asked for what"
    powers      = data.aws_iam_policy_document.detokenize.json
    environment = {
      DATA_KEY_ARN = aws_kms_key.data.arn
    }
  }
}

# What it alone may do, in the order in which a request meets it. Asking STS who calls takes no permission.
data "aws_iam_policy_document" "detokenize" {
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
    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [local.function_arns.detokenize]
    }
  }
}
