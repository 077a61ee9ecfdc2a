# A legal hold: of the policy that it names nothing expires and nobody deletes; all others go on as before.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_s3_bucket.this["events"]
  values = { arn = "arn:aws:s3:::the-events" }
}

override_resource {
  target = aws_s3_bucket.this["audit"]
  values = { arn = "arn:aws:s3:::the-audit" }
}

override_resource {
  target = aws_s3_bucket.this["quarantine"]
  values = { arn = "arn:aws:s3:::the-quarantine" }
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    cards = { package = "tests/packages/cards.zip", table = { hash_key = "card_id" } }
  }
}

run "nothing_held_expires" {
  variables {
    legal_hold = { cards = { reason = "case 7 K 12/26", until = "2999-12-31" }, members = { reason = "audit" } } # the second has no stream any more
  }

  assert {
    condition = jsonencode({
      for name, bucket in aws_s3_bucket_lifecycle_configuration.this : name => sort([for rule in bucket.rule : rule.id if rule.status == "Disabled"])
      }) == jsonencode({
      events     = ["events/cards", "events/members"]
      audit      = ["manifests/cards", "manifests/members", "records"]
      quarantine = ["quarantine/cards", "quarantine/members"]
    })
    error_message = "What is held must not expire, versions included, and all else must."
  }

  assert {
    condition = jsonencode({
      for name, document in data.aws_iam_policy_document.bucket : name => [
        for s in document.statement : [s.effect, sort(s.actions), sort(s.resources)] if s.sid == "LegalHold"
      ]
      }) == jsonencode({
      audit      = [["Deny", ["s3:DeleteObject", "s3:DeleteObjectVersion"], ["arn:aws:s3:::the-audit/manifests/cards/*", "arn:aws:s3:::the-audit/manifests/members/*", "arn:aws:s3:::the-audit/records/*"]]]
      events     = [["Deny", ["s3:DeleteObject", "s3:DeleteObjectVersion"], ["arn:aws:s3:::the-events/events/cards/*", "arn:aws:s3:::the-events/events/members/*"]]]
      quarantine = [["Deny", ["s3:DeleteObject", "s3:DeleteObjectVersion"], ["arn:aws:s3:::the-quarantine/quarantine/cards/*", "arn:aws:s3:::the-quarantine/quarantine/members/*"]]]
    })
    error_message = "Nobody may delete what is held."
  }

  assert {
    condition     = output.legal_hold["cards"].reason == "case 7 K 12/26" && output.legal_hold["members"].until == null
    error_message = "Whoever looks must hear of it."
  }

  assert {
    condition     = aws_glue_catalog_table.events["cards"].parameters["projection.dt.range"] == "2020-01-01,NOW+1DAYS"
    error_message = "What is kept for longer must be found for longer."
  }
}

run "without_one_nothing_is_held" {
  assert {
    condition     = length(output.legal_hold) == 0 && alltrue(flatten([for bucket in aws_s3_bucket_lifecycle_configuration.this : [for rule in bucket.rule : rule.status == "Enabled"]]))
    error_message = "Retention must go by the policies."
  }

  assert {
    condition     = alltrue(flatten([for document in data.aws_iam_policy_document.bucket : [for s in document.statement : s.sid != "LegalHold"]]))
    error_message = "No bucket may refuse deletion."
  }

  # Whatever is deleted by mistake can be had again for a while, and then is gone.
  assert {
    condition     = alltrue(flatten([for bucket in aws_s3_bucket_lifecycle_configuration.this : [for rule in bucket.rule : rule.noncurrent_version_expiration[0].noncurrent_days >= 1 if rule.id != "leftovers"]]))
    error_message = "Old versions must expire."
  }

  assert {
    condition = alltrue([
      for key in concat([aws_kms_key.data, aws_kms_key.audit, aws_kms_key.receipts], values(aws_kms_key.token)) : key.deletion_window_in_days == var.key_deletion_window_days
    ])
    error_message = "Every key must wait before it is deleted."
  }
}

run "a_hold_that_is_past_its_day_is_told" {
  command = plan

  variables {
    legal_hold = { cards = { reason = "case 7 K 12/26", until = "2026-01-31" } }
  }

  expect_failures = [check.legal_hold]
}

run "a_hold_needs_a_policy_a_reason_and_a_day" {
  command = plan

  variables {
    legal_hold = { card = { reason = " ", until = "soon" } }
  }

  expect_failures = [var.legal_hold]
}
