# The most that any function may do, keys that are apart, and buckets that take no other key.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_dynamodb_table.ledger
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-ledger" }
}

override_resource {
  target = aws_dynamodb_table.profiles
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/the-profiles" }
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
  target = aws_s3_bucket.this["audit"]
  values = { arn = "arn:aws:s3:::the-audit" }
}

override_resource {
  target = aws_s3_bucket.this["events"]
  values = { arn = "arn:aws:s3:::the-events" }
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    cards = { package = "versions.tf", table = { hash_key = "card_id" } }
    home-loans = {
      policy         = "loans"
      package        = "versions.tf"
      stream_arn     = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
      source_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/loans"
    }
  }
}

run "a_function_may_do_this_at_most" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.boundary.statement : s.sid => [sort(s.actions), sort(s.resources)] if s.effect != "Deny"
      }) == jsonencode({
      Remember = [
        ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
        [for name in ["ledger", "profiles", "subjects"] : "arn:aws:dynamodb:eu-west-1:123456789012:table/the-${name}"],
      ]
      ReadStreams = [
        ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        [for name in ["loans", "tidegate-test-*"] : "arn:aws:dynamodb:eu-west-1:123456789012:table/${name}/stream/*"],
      ]
      FindStreamsAndTrace = [
        ["dynamodb:ListStreams", "xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        ["*"],
      ]
      Write = [
        ["s3:PutObject"],
        [
          "arn:aws:s3:::the-audit/manifests/*", "arn:aws:s3:::the-audit/policies/*", "arn:aws:s3:::the-audit/records/*",
          "arn:aws:s3:::the-events/events/*", "arn:aws:s3:::tidegate-test-quarantine-123456789012/quarantine/*",
        ],
      ]
      ReadEvents = [
        ["s3:GetObject"],
        ["arn:aws:s3:::the-events/events/*"],
      ]
      UseKeys = [
        ["kms:Decrypt", "kms:GenerateDataKey"],
        [for name in ["data", "loans"] : "arn:aws:kms:eu-west-1:123456789012:key/${name}"],
      ]
      SealAudit = [
        ["kms:GenerateDataKey"],
        ["arn:aws:kms:eu-west-1:123456789012:key/audit"],
      ]
      DeriveAndSign = [
        ["kms:GenerateMac", "kms:Sign"],
        [for name in ["receipts", "token-1"] : "arn:aws:kms:eu-west-1:123456789012:key/${name}"],
      ]
      Tell = [
        ["sns:Publish", "sqs:SendMessage"],
        ["arn:aws:sns:eu-west-1:123456789012:tidegate-test-alerts", "arn:aws:sqs:eu-west-1:123456789012:tidegate-test-*-failures"],
      ]
      WriteLogs = [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tidegate-test-*:*"],
      ]
    })
    error_message = "The boundary changed: ${jsonencode({ for s in data.aws_iam_policy_document.boundary.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = alltrue([
      for action in ["dynamodb:DeleteItem", "iam:*", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "lambda:*", "s3:BypassGovernanceRetention", "s3:Delete*", "s3:PutBucket*", "s3:PutObjectRetention", "sts:AssumeRole*"] :
      anytrue([
        for s in data.aws_iam_policy_document.boundary.statement :
        s.effect == "Deny" && contains(s.actions, action) && contains(s.resources, "*") && length(s.condition) == 0
      ])
    ])
    error_message = "No policy of a bucket, a key or a queue may let a function delete, lift a lock, change who may what, or become another."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.boundary.statement : [s.effect, sort(s.actions), sort(s.resources), length(s.condition)] if s.sid == "NeverRead"
      ]) == jsonencode([
      ["Deny", ["s3:GetObject*"], ["arn:aws:s3:::the-audit/*", "arn:aws:s3:::tidegate-test-quarantine-123456789012/*"], 0],
    ])
    error_message = "No function may read the audit trail or the quarantine, whoever lets it."
  }

  assert {
    condition     = aws_iam_policy.boundary.name == "tidegate-test-boundary" && aws_iam_policy.boundary.policy == data.aws_iam_policy_document.boundary.json
    error_message = "The boundary tested above must be there."
  }
}

run "the_audit_trail_has_a_key_of_its_own" {
  assert {
    condition = {
      for name, encryption in aws_s3_bucket_server_side_encryption_configuration.this :
      name => one(flatten([for rule in encryption.rule : rule.apply_server_side_encryption_by_default[*].kms_master_key_id]))
      } == {
      audit      = "arn:aws:kms:eu-west-1:123456789012:key/audit"
      events     = "arn:aws:kms:eu-west-1:123456789012:key/data"
      quarantine = "arn:aws:kms:eu-west-1:123456789012:key/data"
    }
    error_message = "The audit bucket must be encrypted with the audit key, the others with the data key."
  }

  assert {
    condition     = aws_kms_key.audit.enable_key_rotation && aws_kms_key.audit.policy == data.aws_iam_policy_document.audit_key.json && aws_kms_alias.audit.name == "alias/tidegate-test-audit"
    error_message = "The audit key must rotate, under the policy tested below."
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.audit_key.statement : s.sid => [coalesce(s.effect, "Allow"), sort(s.actions), [for c in s.condition : [c.test, c.variable, sort(c.values)]]]
      }) == jsonencode({
      UseThroughS3 = [
        "Allow", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
        [["StringEquals", "kms:ViaService", ["s3.eu-west-1.amazonaws.com"]]],
      ]
      NotOpenedByFunctions = [
        "Deny", ["kms:Decrypt"],
        [["ArnEquals", "aws:PrincipalArn", [for name in ["cards", "detokenize", "erase", "home-loans"] : "arn:aws:iam::123456789012:role/tidegate-test-${name}"]]],
      ]
    })
    error_message = "The audit key must serve S3 alone, and open nothing to the functions that write the trail."
  }
}

run "a_bucket_takes_no_other_key" {
  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.bucket :
      jsonencode({
        for s in document.statement : s.sid => [s.effect, s.actions, [for c in s.condition : [c.test, c.variable, c.values]]] if contains(["RightKeyOnly", "KmsOnly", "NoKeyOfACaller"], s.sid)
        }) == jsonencode({
        RightKeyOnly = ["Deny", ["s3:PutObject"], [
          ["ArnNotEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", ["arn:aws:kms:eu-west-1:123456789012:key/${name == "audit" ? "audit" : "data"}"]],
          ["Null", "s3:x-amz-server-side-encryption-aws-kms-key-id", ["false"]],
        ]]
        KmsOnly = ["Deny", ["s3:PutObject"], [
          ["Null", "s3:x-amz-server-side-encryption", ["false"]],
          ["StringNotEquals", "s3:x-amz-server-side-encryption", ["aws:kms"]],
        ]]
        NoKeyOfACaller = ["Deny", ["s3:PutObject"], [["Null", "s3:x-amz-server-side-encryption-customer-algorithm", ["false"]]]]
      })
    ]) && length(data.aws_iam_policy_document.bucket) == 3
    error_message = "A bucket must refuse what is to be encrypted with another key than its own."
  }
}
