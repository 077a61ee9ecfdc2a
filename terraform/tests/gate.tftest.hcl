# What the streams share, and what the policies decide about it. Two streams: one with a table of its own, one on a table
# that exists.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    cards = {
      package = "versions.tf" # any file: Terraform only hashes it
      table   = { hash_key = "card_id", range_key = "at", key_types = { at = "N" }, ttl_attribute = "gone_at" }
    }
    home-loans = {
      policy     = "loans"
      package    = "versions.tf"
      stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
    }
  }
}

run "each_thing_is_kept_as_long_as_its_policy_says" {
  assert {
    condition = jsonencode({
      for name, bucket in aws_s3_bucket_lifecycle_configuration.this : name => {
        for rule in bucket.rule : rule.filter[0].prefix => [rule.expiration[0].days, rule.noncurrent_version_expiration[0].noncurrent_days] if rule.id != "leftovers"
      }
      }) == jsonencode({
      events     = { "events/cards/" = [31, 7], "events/loans/" = [45, 7], "events/members/" = [46, 7], "queries/" = [7, 7] }
      audit      = { "manifests/cards/" = [1000, 7], "manifests/loans/" = [500, 7], "manifests/members/" = [400, 7], "records/" = [1000, 7] }
      quarantine = { "quarantine/cards/" = [13, 1], "quarantine/loans/" = [7, 1], "quarantine/members/" = [8, 1] }
    })
    error_message = "Each policy's folder in each bucket must expire after the days in its own YAML, whether a stream has the policy or did once; and what is recorded of people after the longest of them."
  }

  assert {
    condition = alltrue([
      for name, bucket in aws_s3_bucket_lifecycle_configuration.this : bucket.bucket == aws_s3_bucket.this[name].id && alltrue([for rule in bucket.rule : rule.status == "Enabled"])
    ])
    error_message = "The rules must be on, and on their own bucket."
  }

  assert {
    condition = alltrue(flatten([
      for bucket in aws_s3_bucket_lifecycle_configuration.this : [
        for rule in bucket.rule : rule.abort_incomplete_multipart_upload[0].days_after_initiation == 1 && rule.expiration[0].expired_object_delete_marker if rule.id == "leftovers"
      ]
    ]))
    error_message = "What uploads and deletions leave behind must go."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].days == 500 && aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].mode == "GOVERNANCE"
    error_message = "Manifests must be locked, and none longer than the shortest audit retention."
  }

  assert {
    condition     = [for bucket in aws_s3_bucket.this : bucket.bucket if bucket.object_lock_enabled] == ["tidegate-test-audit-123456789012"]
    error_message = "The audit bucket, and only that, must be made for locks."
  }
}

run "buckets_are_closed_and_encrypted" {
  assert {
    condition     = toset([for bucket in aws_s3_bucket.this : bucket.bucket]) == toset(["tidegate-test-events-123456789012", "tidegate-test-audit-123456789012", "tidegate-test-quarantine-123456789012"])
    error_message = "Bucket names must carry the environment and the account."
  }

  assert {
    condition = alltrue([
      for name, block in aws_s3_bucket_public_access_block.this :
      block.bucket == aws_s3_bucket.this[name].id && block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.this) == 3
    error_message = "No bucket may become public."
  }

  assert {
    condition = alltrue(flatten([
      for name, encryption in aws_s3_bucket_server_side_encryption_configuration.this : [
        for rule in encryption.rule :
        rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.data.arn && encryption.bucket == aws_s3_bucket.this[name].id
      ]
    ])) && length(aws_s3_bucket_server_side_encryption_configuration.this) == 3
    error_message = "Every bucket must be encrypted with the data key."
  }

  assert {
    condition     = alltrue([for name, v in aws_s3_bucket_versioning.this : v.versioning_configuration[0].status == "Enabled" && v.bucket == aws_s3_bucket.this[name].id]) && length(aws_s3_bucket_versioning.this) == 3
    error_message = "Every bucket must keep versions."
  }

  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.bucket :
      aws_s3_bucket_policy.this[name].bucket == aws_s3_bucket.this[name].id &&
      jsonencode([for s in document.statement : [s.effect, s.actions, sort(s.resources), [for c in s.condition : [c.test, c.variable, c.values]]] if s.sid == "TlsOnly"]) ==
      jsonencode([["Deny", ["s3:*"], ["arn:aws:s3:::a-bucket", "arn:aws:s3:::a-bucket/*"], [["Bool", "aws:SecureTransport", ["false"]]]]])
    ]) && length(data.aws_iam_policy_document.bucket) == 3
    error_message = "Every bucket must refuse plain HTTP."
  }

  assert {
    condition     = alltrue(flatten([for document in data.aws_iam_policy_document.bucket : [for s in document.statement : s.effect == "Deny"]]))
    error_message = "A bucket's policy must only forbid: what is allowed is said in IAM."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : !bucket.force_destroy])
    error_message = "By default a destroy must not empty a bucket."
  }
}

run "who_asks_of_a_bucket_is_logged" {
  assert {
    condition = jsonencode({ for name, logging in aws_s3_bucket_logging.this : name => [logging.bucket == aws_s3_bucket.this[name].id, logging.target_bucket == aws_s3_bucket.logs.id, logging.target_prefix] }) == jsonencode({
      for name in keys(aws_s3_bucket.this) : name => [true, true, "${name}/"]
    })
    error_message = "Every bucket must be logged, into a folder of its own."
  }

  assert {
    condition = (
      aws_s3_bucket.logs.bucket == "tidegate-test-bucket-logs-123456789012" && !aws_s3_bucket.logs.force_destroy &&
      aws_s3_bucket_public_access_block.logs.block_public_acls && aws_s3_bucket_public_access_block.logs.block_public_policy &&
      aws_s3_bucket_public_access_block.logs.ignore_public_acls && aws_s3_bucket_public_access_block.logs.restrict_public_buckets &&
      alltrue([for rule in aws_s3_bucket_server_side_encryption_configuration.logs.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"]) &&
      aws_s3_bucket_versioning.logs.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_lifecycle_configuration.logs.rule[0].expiration[0].days == 90
    )
    error_message = "The logs must be closed, encrypted as S3 can deliver to, and go after their days."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.logs.statement : [coalesce(s.effect, "Allow"), s.actions, [for p in s.principals : sort(p.identifiers)], { for c in s.condition : "${c.test} ${c.variable}" => sort(c.values) }] if contains(["Deliver", "DeliveredOnly", "TlsOnly", "InRegions"], s.sid)
      ]) == jsonencode([
      ["Allow", ["s3:PutObject"], [["logging.s3.amazonaws.com"]], { "ArnEquals aws:SourceArn" = [for bucket in aws_s3_bucket.this : bucket.arn], "StringEquals aws:SourceAccount" = ["123456789012"] }],
      ["Deny", ["s3:PutObject"], [["*"]], { "Bool aws:PrincipalIsAWSService" = ["false"] }],
      ["Deny", ["s3:*"], [["*"]], { "Bool aws:SecureTransport" = ["false"] }],
      ["Deny", ["s3:*"], [["*"]], { "Bool aws:PrincipalIsAWSService" = ["false"], "StringNotEquals aws:RequestedRegion" = ["eu-west-1"] }],
    ])
    error_message = "S3 alone may write them, for these buckets of this account and for no other's."
  }
}

run "keys_separate_management_from_use" {
  assert {
    condition     = aws_kms_key.data.enable_key_rotation && aws_kms_key.data.policy == data.aws_iam_policy_document.data_key.json
    error_message = "The data key must rotate, under the policy tested below."
  }

  assert {
    condition     = alltrue([for key in aws_kms_key.token : key.key_usage == "GENERATE_VERIFY_MAC" && key.customer_master_key_spec == "HMAC_512" && key.policy == data.aws_iam_policy_document.token_key.json]) && keys(aws_kms_key.token) == ["1"]
    error_message = "A token key must be an HMAC_512 key under the policy tested below."
  }

  assert {
    condition = !anytrue([
      for action in flatten([for s in data.aws_iam_policy_document.key_management.statement : s.actions]) :
      contains(["kms:*", "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateMac", "kms:VerifyMac", "kms:Sign"], action) || startswith(action, "kms:GenerateDataKey") || startswith(action, "kms:ReEncrypt")
    ])
    error_message = "Managing a key must not include using it."
  }

  assert {
    condition     = contains(flatten([for s in data.aws_iam_policy_document.key_management.statement : s.actions]), "kms:PutKeyPolicy")
    error_message = "Without PutKeyPolicy nobody could ever change the key again."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.token_key.statement : [sort(s.actions), [for c in s.condition : [c.test, c.variable, sort(c.values)]]]
      ]) == jsonencode([
      [["kms:GenerateMac"], [["ArnEquals", "aws:PrincipalArn", ["arn:aws:iam::123456789012:role/tidegate-test-cards", "arn:aws:iam::123456789012:role/tidegate-test-detokenize", "arn:aws:iam::123456789012:role/tidegate-test-erase", "arn:aws:iam::123456789012:role/tidegate-test-home-loans"]]]],
    ])
    error_message = "The roles of the streams, of detokenize and of erase, and nobody else, may derive from a token key."
  }

  assert {
    condition     = aws_kms_key.receipts.key_usage == "SIGN_VERIFY" && aws_kms_key.receipts.customer_master_key_spec == "ECC_NIST_P256" && aws_kms_key.receipts.policy == data.aws_iam_policy_document.receipts_key.json && aws_kms_alias.receipts.name == "alias/tidegate-test-receipts"
    error_message = "The receipts key must sign by ECDSA on P-256, under the policy tested below and the alias that the commands look for."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.receipts_key.statement : [sort(s.actions), [for c in s.condition : [c.test, c.variable, c.values]]]
      ]) == jsonencode([
      [["kms:Sign"], [["ArnEquals", "aws:PrincipalArn", ["arn:aws:iam::123456789012:role/tidegate-test-erase"]]]],
      [["kms:GetPublicKey", "kms:Verify"], []],
    ])
    error_message = "The erase function alone may sign a receipt; anybody of the account may check one."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.data_key.statement : [for c in s.condition : sort(c.values)] if s.sid == "EncryptLogs"
      ]) == jsonencode([[[
        for name in ["cards", "detokenize", "erase", "home-loans"] :
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tidegate-test-${name}"
    ]]])
    error_message = "The data key must serve the logs of the gate's functions and no others."
  }

  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.data_key.statement :
      length([for c in s.condition : c if contains(["kms:ViaService", "kms:EncryptionContext:aws:logs:arn", "kms:EncryptionContext:purpose"], c.variable)]) == 1
    ])
    error_message = "The data key must be usable only through AWS's storage services, for the streams' own logs, for the quarantine and for values that a policy encrypts."
  }
}

run "the_token_key_rotates_by_adding_a_version" {
  command = plan

  variables {
    token_key_versions = [1, 2]
  }

  assert {
    condition     = keys(aws_kms_key.token) == ["1", "2"] && aws_kms_alias.token["2"].name == "alias/tidegate-test-token-2"
    error_message = "Version 2 must come beside version 1."
  }
}

run "a_token_key_retires_when_that_is_meant" {
  command = plan

  variables {
    token_key_versions         = [2, 3]
    token_key_versions_retired = [1]
  }

  assert {
    condition     = keys(aws_kms_key.token) == ["2", "3"]
    error_message = "Version 1 must be gone, and the others there."
  }
}

run "tables_are_encrypted_and_recoverable" {
  assert {
    condition = alltrue([
      for table in concat([aws_dynamodb_table.ledger, aws_dynamodb_table.subjects], values(aws_dynamodb_table.source)) :
      table.server_side_encryption[0].enabled && table.server_side_encryption[0].kms_key_arn == aws_kms_key.data.arn && table.point_in_time_recovery[0].enabled && table.deletion_protection_enabled && table.billing_mode == "PAY_PER_REQUEST"
    ])
    error_message = "Every table must be encrypted with the data key, recoverable and protected from deletion."
  }

  assert {
    condition     = keys(aws_dynamodb_table.source) == ["cards"]
    error_message = "A table that exists must be left alone."
  }

  assert {
    condition     = aws_dynamodb_table.source["cards"].name == "tidegate-test-cards" && aws_dynamodb_table.source["cards"].stream_enabled && aws_dynamodb_table.source["cards"].stream_view_type == "NEW_AND_OLD_IMAGES"
    error_message = "The source table must have a stream with both images."
  }

  assert {
    condition     = jsonencode({ for a in aws_dynamodb_table.source["cards"].attribute : a.name => a.type }) == jsonencode({ card_id = "S", at = "N" }) && aws_dynamodb_table.source["cards"].ttl[0].attribute_name == "gone_at"
    error_message = "The source table must have the keys and the TTL attribute it was given."
  }

  assert {
    condition     = aws_dynamodb_table.ledger.hash_key == "stream" && aws_dynamodb_table.ledger.range_key == "intent" && aws_dynamodb_table.ledger.ttl[0].attribute_name == "expires_at" && aws_dynamodb_table.ledger.ttl[0].enabled
    error_message = "The ledger's keys and TTL attribute are a contract with the function."
  }

  assert {
    condition     = aws_dynamodb_table.subjects.name == "tidegate-test-subjects" && aws_dynamodb_table.subjects.hash_key == "subject" && jsonencode({ for a in aws_dynamodb_table.subjects.attribute : a.name => a.type }) == jsonencode({ subject = "S" })
    error_message = "The subjects table's name and key are a contract with the functions and the commands."
  }

  assert {
    condition     = length(aws_dynamodb_table.subjects.ttl) == 0 && aws_dynamodb_table.subjects.stream_enabled != true
    error_message = "Nothing of a person may expire, or an erased one would come back; and no stream may carry secrets away."
  }
}

run "a_secret_can_be_restored_for_a_week" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.subjects.point_in_time_recovery[0].enabled && aws_dynamodb_table.subjects.point_in_time_recovery[0].recovery_period_in_days == 7
    error_message = "Unless an environment says otherwise, the last copy of a destroyed secret must be gone after seven days."
  }
}

run "an_environment_may_keep_secrets_restorable_for_longer" {
  command = plan

  variables {
    subjects_recovery_days = 35
  }

  assert {
    condition     = aws_dynamodb_table.subjects.point_in_time_recovery[0].enabled && aws_dynamodb_table.subjects.point_in_time_recovery[0].recovery_period_in_days == 35
    error_message = "The recovery period must be what the environment says."
  }
}

run "an_environment_may_do_without_recovery" {
  command = plan

  variables {
    subjects_recovery_days = 0
  }

  assert {
    condition     = !aws_dynamodb_table.subjects.point_in_time_recovery[0].enabled
    error_message = "Of 0 days nothing must be kept."
  }
}

run "alerts_are_encrypted_and_come_from_the_gate" {
  assert {
    condition     = aws_sns_topic.alerts.kms_master_key_id == aws_kms_key.data.arn && aws_sns_topic_policy.alerts.policy == data.aws_iam_policy_document.alerts.json
    error_message = "The topic must be encrypted with the data key and have the policy tested below."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.alerts.statement : [s.effect, s.actions, s.resources, [for c in s.condition : [c.test, c.variable, sort(c.values)]]]
      ]) == jsonencode([
      ["Deny", ["sns:Publish"], ["arn:aws:sns:eu-west-1:123456789012:tidegate-test-alerts"], [["Bool", "aws:SecureTransport", ["false"]]]],
      ["Deny", ["sns:Publish"], ["arn:aws:sns:eu-west-1:123456789012:tidegate-test-alerts"], [["ArnNotEquals", "aws:PrincipalArn", ["arn:aws:iam::123456789012:role/tidegate-test-cards", "arn:aws:iam::123456789012:role/tidegate-test-home-loans"]]]],
    ])
    error_message = "The topic must refuse plain HTTP and every publisher but the streams."
  }
}

run "each_stream_gets_its_own_room" {
  assert {
    condition = { for name, stream in output.streams : name => [stream.function_name, stream.policy, stream.source_table] } == {
      cards      = ["tidegate-test-cards", "cards", "tidegate-test-cards"]
      home-loans = ["tidegate-test-home-loans", "loans", "loans"]
    }
    error_message = "Each stream must have a function named after it, on its own table, under its own policy."
  }

  assert {
    condition     = output.streams["home-loans"].stream_arn == "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
    error_message = "An existing table is read by the stream that was given."
  }

  assert {
    condition     = output.streams["cards"].stream_arn == aws_dynamodb_table.source["cards"].stream_arn
    error_message = "A new table is read by its own stream."
  }

  assert {
    condition     = output.streams["cards"].publishes_alerts && !output.streams["home-loans"].publishes_alerts
    error_message = "A stream may publish alerts if, and only if, its policy routes events to the topic."
  }

  assert {
    condition     = output.streams["cards"].by_subject && !output.streams["home-loans"].by_subject && !output.streams["cards"].erases_removed
    error_message = "A stream may reach the subjects if, and only if, a rule of its policy goes by the person; and erase only if the policy says so."
  }

  assert {
    condition     = output.dashboard == "tidegate-test" && output.region == "eu-west-1" && output.account_id == "123456789012"
    error_message = "The outputs must say where to look."
  }

  assert {
    condition     = output.buckets == { events = "tidegate-test-events-123456789012", audit = "tidegate-test-audit-123456789012", quarantine = "tidegate-test-quarantine-123456789012" }
    error_message = "The outputs must name the buckets."
  }
}

run "a_policy_may_erase_who_is_removed" {
  variables {
    streams = { members = { package = "versions.tf", table = { hash_key = "member_id" } } }
  }

  assert {
    condition     = output.streams["members"].by_subject && output.streams["members"].erases_removed
    error_message = "`on_remove: erase` of a policy must reach its stream, and dates are shifted by the person without saying so."
  }
}

run "what_is_worthless_may_be_destroyed" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : bucket.force_destroy]) && !aws_dynamodb_table.ledger.deletion_protection_enabled && !aws_dynamodb_table.subjects.deletion_protection_enabled && !aws_dynamodb_table.source["cards"].deletion_protection_enabled
    error_message = "Without protection a destroy must leave nothing."
  }
}
