# People who look, and may change nothing: an auditor, and whoever retires token keys. Nobody has these powers until they
# are attached to somebody's role. Neither opens a token, sees a secret or gets at the quarantine.

# --- The auditor -------------------------------------------------------------------------------------

# For `tidegate audit verify|show|receipt`.
resource "aws_iam_policy" "auditor" {
  name        = "${local.prefix}-auditor"
  description = "Check the audit trail of ${local.prefix}, and the events that it describes"
  policy      = data.aws_iam_policy_document.auditor.json
}

data "aws_iam_policy_document" "auditor" {
  # Versions too: what was deleted or replaced is what an auditor looks for.
  statement {
    sid       = "ListTrailAndEvents"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = [local.reach.audit, local.reach.events]
  }

  statement {
    sid       = "ReadTrailAndEvents"
    actions   = ["s3:GetObject"]
    resources = ["${local.reach.audit}/*", "${local.reach.events}/*"]
  }

  statement {
    sid       = "ReadWhatWasReplaced"
    actions   = ["s3:GetObjectVersion"]
    resources = ["${local.reach.audit}/*"]
  }

  # Where the chains end, so that a missing end shows. The intents of the streams and the rates of callers stay shut.
  statement {
    sid       = "ReadChains"
    actions   = ["dynamodb:GetItem", "dynamodb:Query"]
    resources = [local.reach.ledger]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["chains/*"]
    }
  }

  # Through the two alone: an encrypted value that somebody finds among the events stays sealed.
  statement {
    sid       = "UseTableAndBuckets"
    actions   = ["kms:Decrypt"]
    resources = [local.reach.audit_key, local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["dynamodb", "s3"] : "${service}.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "CheckReceipts"
    actions   = ["kms:DescribeKey", "kms:GetPublicKey"]
    resources = [local.reach.receipts]
  }
}

# --- The key steward ---------------------------------------------------------------------------------

# For `tidegate keys status`, before a version of the token key is added or retired.
resource "aws_iam_policy" "key_steward" {
  name        = "${local.prefix}-key-steward"
  description = "See which token keys of ${local.prefix} are in use, and use none"
  policy      = data.aws_iam_policy_document.key_steward.json
}

data "aws_iam_policy_document" "key_steward" {
  # Which versions each function has.
  statement {
    sid       = "FindFunctions"
    actions   = ["lambda:ListFunctions"]
    resources = ["*"] # IAM knows no resource for this action
  }

  statement {
    sid     = "ReadFunctions"
    actions = ["lambda:GetFunctionConfiguration"]
    resources = [
      for function in values(local.functions) :
      "arn:${data.aws_partition.current.partition}:lambda:${var.region}:${local.account}:function:${function}:live"
    ]
  }

  # Whether each key is there and enabled.
  statement {
    sid       = "SeeTokenKeys"
    actions   = ["kms:DescribeKey"]
    resources = local.reach.token_keys
  }

  # When each version last made tokens, and for how long the events with them are kept.
  statement {
    sid       = "ReadChains"
    actions   = ["dynamodb:Query"]
    resources = [local.reach.ledger]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["chains/*"]
    }
  }

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

  # How many people are known by names of each version: all but the secret, and not when they came.
  statement {
    sid       = "CountPeople"
    actions   = ["dynamodb:Scan"]
    resources = [local.reach.subjects]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:Attributes"
      values   = ["erased_at", "previous", "subject"]
    }
    condition {
      test     = "StringEquals"
      variable = "dynamodb:Select" # without it, a request that names no attribute would get them all
      values   = ["SPECIFIC_ATTRIBUTES"]
    }
  }

  statement {
    sid       = "UseTablesAndBucket"
    actions   = ["kms:Decrypt"]
    resources = [local.reach.audit_key, local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["dynamodb", "s3"] : "${service}.${var.region}.amazonaws.com"]
    }
  }
}
