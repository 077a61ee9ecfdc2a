# What each of the functions on people may do and the other may not, and what people may who only look.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_dynamodb_table.ledger
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger" }
}

override_resource {
  target = aws_dynamodb_table.subjects
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects" }
}

override_resource {
  target = aws_kms_key.data
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/data" }
}

override_resource {
  target = aws_kms_key.audit
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/audit" }
}

override_resource {
  target = aws_kms_key.receipts
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/receipts" }
}

override_resource {
  target = aws_kms_key.token["1"]
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/token-1" }
}

override_resource {
  target = aws_kms_key.token["2"]
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/token-2" }
}

override_resource {
  target = aws_s3_bucket.this["audit"]
  values = { arn = "arn:aws:s3:::the-audit" }
}

override_resource {
  target = aws_s3_bucket.this["events"]
  values = { arn = "arn:aws:s3:::the-events" }
}

variables {
  environment        = "test"
  region             = "eu-west-1"
  policies_folder    = "tests/policies"
  access_package     = "versions.tf" # any file: Terraform only hashes it
  token_key_versions = [1, 2]

  streams = {
    cards   = { package = "versions.tf", table = { hash_key = "card_id" } }
    members = { package = "versions.tf", table = { hash_key = "member_id" } }
  }
}

run "detokenize_opens_what_is_brought_to_it_and_no_more" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.detokenize.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      CountValues = [
        ["dynamodb:UpdateItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      ReadSecrets = [
        ["dynamodb:BatchGetItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      OpenEncryptedValues = [
        ["kms:Decrypt"],
        ["arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
    })
    error_message = "The powers of detokenize changed: ${jsonencode({ for s in data.aws_iam_policy_document.detokenize.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.detokenize.statement : s.sid => [for c in s.condition : [c.test, c.variable, sort(c.values)]] if length(s.condition) > 0
      }) == jsonencode({
      CountValues         = [["ForAllValues:StringLike", "dynamodb:LeadingKeys", ["rates/*"]]]
      OpenEncryptedValues = [["ArnEquals", "lambda:SourceFunctionArn", ["arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-detokenize"]], ["StringEquals", "kms:EncryptionContext:purpose", ["tidegate.encrypt"]]]
    })
    error_message = "Detokenize must open encrypted values and not the quarantine, and count rates and not intents."
  }
}

run "erase_destroys_secrets_and_reads_no_value" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.erase.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      SeeWhoIsThere = [
        ["dynamodb:GetItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      DestroySecrets = [
        ["dynamodb:UpdateItem"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      SignReceipts = [
        ["kms:Sign"],
        ["arn:aws:kms:eu-west-1:123456789012:key/receipts"],
      ]
    })
    error_message = "The powers of erase changed: ${jsonencode({ for s in data.aws_iam_policy_document.erase.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.erase.statement : s.sid => { for c in s.condition : c.variable => [c.test, sort(c.values)] }
      }) == jsonencode({
      SeeWhoIsThere = {
        "dynamodb:Attributes" = ["ForAllValues:StringEquals", ["created_at", "erased_at", "previous", "subject"]]
        "dynamodb:Select"     = ["StringEquals", ["SPECIFIC_ATTRIBUTES"]]
      }
      DestroySecrets = { "dynamodb:ReturnValues" = ["StringEquals", ["NONE"]] }
      SignReceipts = {
        "kms:SigningAlgorithm"     = ["StringEquals", ["ECDSA_SHA_256"]]
        "lambda:SourceFunctionArn" = ["ArnEquals", ["arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-erase"]]
      }
    })
    error_message = "Erase must see all of a person but the secret, get nothing back from an update, and sign from within the function alone."
  }
}

run "an_auditor_reads_the_trail_and_the_events_and_nothing_else" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.auditor.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      ListTrailAndEvents = [
        ["s3:ListBucket", "s3:ListBucketVersions"],
        ["arn:aws:s3:::the-audit", "arn:aws:s3:::the-events"],
      ]
      ReadTrailAndEvents = [
        ["s3:GetObject"],
        ["arn:aws:s3:::the-audit/*", "arn:aws:s3:::the-events/*"],
      ]
      ReadWhatWasReplaced = [
        ["s3:GetObjectVersion"],
        ["arn:aws:s3:::the-audit/*"],
      ]
      ReadChains = [
        ["dynamodb:GetItem", "dynamodb:Query"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      UseTableAndBuckets = [
        ["kms:Decrypt"],
        ["arn:aws:kms:eu-west-1:123456789012:key/audit", "arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
      CheckReceipts = [
        ["kms:DescribeKey", "kms:GetPublicKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/receipts"],
      ]
    })
    error_message = "The powers of an auditor changed: ${jsonencode({ for s in data.aws_iam_policy_document.auditor.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.auditor.statement : s.sid => [for c in s.condition : [c.test, c.variable, sort(c.values)]] if length(s.condition) > 0
      }) == jsonencode({
      ReadChains         = [["ForAllValues:StringLike", "dynamodb:LeadingKeys", ["chains/*"]]]
      UseTableAndBuckets = [["StringEquals", "kms:ViaService", ["dynamodb.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]]]
    })
    error_message = "An auditor must see chains and not intents or rates, and use the data key through services alone."
  }

  assert {
    condition     = aws_iam_policy.auditor.name == "tidegate-test-auditor" && aws_iam_policy.auditor.policy == data.aws_iam_policy_document.auditor.json && output.auditor_policy_arn == aws_iam_policy.auditor.arn
    error_message = "The policy tested above must be there to attach."
  }
}

run "a_key_steward_sees_which_keys_are_in_use_and_uses_none" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.key_steward.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      FindFunctions = [
        ["lambda:ListFunctions"],
        ["*"],
      ]
      ReadFunctions = [
        ["lambda:GetFunctionConfiguration"],
        [
          for name in ["cards", "detokenize", "erase", "members"] :
          "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-${name}:live"
        ],
      ]
      SeeTokenKeys = [
        ["kms:DescribeKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/token-1", "arn:aws:kms:eu-west-1:123456789012:key/token-2"],
      ]
      ReadChains = [
        ["dynamodb:Query"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger"],
      ]
      ListPolicies = [
        ["s3:ListBucket"],
        ["arn:aws:s3:::the-audit"],
      ]
      ReadPolicies = [
        ["s3:GetObject"],
        ["arn:aws:s3:::the-audit/policies/*"],
      ]
      CountPeople = [
        ["dynamodb:Scan"],
        ["arn:aws:dynamodb:eu-west-1:123456789012:table/the-subjects"],
      ]
      UseTablesAndBucket = [
        ["kms:Decrypt"],
        ["arn:aws:kms:eu-west-1:123456789012:key/audit", "arn:aws:kms:eu-west-1:123456789012:key/data"],
      ]
    })
    error_message = "The powers of a key steward changed: ${jsonencode({ for s in data.aws_iam_policy_document.key_steward.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.key_steward.statement : s.sid => { for c in s.condition : c.variable => [c.test, sort(c.values)] } if length(s.condition) > 0
      }) == jsonencode({
      ReadChains   = { "dynamodb:LeadingKeys" = ["ForAllValues:StringLike", ["chains/*"]] }
      ListPolicies = { "s3:prefix" = ["StringLike", ["policies/*"]] }
      CountPeople = {
        "dynamodb:Attributes" = ["ForAllValues:StringEquals", ["erased_at", "previous", "subject"]]
        "dynamodb:Select"     = ["StringEquals", ["SPECIFIC_ATTRIBUTES"]]
      }
      UseTablesAndBucket = { "kms:ViaService" = ["StringEquals", ["dynamodb.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]] }
    })
    error_message = "A key steward must count people without their secrets, and see chains and compiled policies alone."
  }

  assert {
    condition     = aws_iam_policy.key_steward.name == "tidegate-test-key-steward" && aws_iam_policy.key_steward.policy == data.aws_iam_policy_document.key_steward.json && output.key_steward_policy_arn == aws_iam_policy.key_steward.arn
    error_message = "The policy tested above must be there to attach."
  }
}

run "commands_find_both_by_name" {
  assert {
    condition     = [output.detokenize.function_name, output.erase.function_name, output.subjects_table] == ["tidegate-test-detokenize", "tidegate-test-erase", "tidegate-test-subjects"]
    error_message = "Names are a contract with the commands, which know the environment alone."
  }

  assert {
    condition     = output.receipts_key == { arn = "arn:aws:kms:eu-west-1:123456789012:key/receipts", alias = "alias/tidegate-test-receipts" }
    error_message = "Who is to check a receipt must be told the key."
  }
}
