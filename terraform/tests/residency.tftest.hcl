# Where the data may lie, and that nothing takes it elsewhere.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it
  streams         = { cards = { package = "versions.tf", table = { hash_key = "id" } } }
}

run "without_a_word_it_may_lie_in_its_own_region_alone" {
  assert {
    condition     = jsonencode(output.data_residency) == jsonencode(["eu-west-1"])
    error_message = "Unless an environment says otherwise, its region is the only one."
  }

  assert {
    condition = jsonencode([
      for s in data.aws_iam_policy_document.bucket["events"].statement : [for c in s.condition : [c.test, c.variable, c.values]] if s.sid == "InRegions"
    ]) == jsonencode([[["StringNotEquals", "aws:RequestedRegion", ["eu-west-1"]]]])
    error_message = "A bucket must refuse requests in any other region."
  }
}

run "an_environment_may_name_more" {
  variables {
    data_residency = ["eu-west-1", "eu-central-1"]
  }

  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.bucket : jsonencode([
        for s in document.statement : sort(flatten([for c in s.condition : c.values])) if s.sid == "InRegions"
      ]) == jsonencode([["eu-central-1", "eu-west-1"]])
    ]) && jsonencode(output.data_residency) == jsonencode(["eu-central-1", "eu-west-1"])
    error_message = "Every bucket must go by the regions that the environment names."
  }
}

run "nothing_is_copied_elsewhere" {
  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.bucket : jsonencode([
        for s in document.statement : [s.effect, length(s.condition), sort(s.resources), sort(s.actions)] if s.sid == "NoReplication"
        ]) == jsonencode([["Deny", 0, ["arn:aws:s3:::a-bucket", "arn:aws:s3:::a-bucket/*"], [
          "s3:GetObjectVersionForReplication", "s3:InitiateReplication", "s3:PutReplicationConfiguration",
          "s3:ReplicateDelete", "s3:ReplicateObject",
      ]]])
    ])
    error_message = "No bucket may be a source or a destination of replication, whoever asks."
  }

  assert {
    condition = alltrue([
      for table in concat([aws_dynamodb_table.ledger, aws_dynamodb_table.profiles, aws_dynamodb_table.subjects], values(aws_dynamodb_table.source)) :
      length(table.replica) == 0
    ])
    error_message = "No table may have a replica."
  }

  assert {
    condition     = alltrue([for key in concat([aws_kms_key.data, aws_kms_key.receipts], values(aws_kms_key.token)) : key.multi_region != true])
    error_message = "No key may be in several regions."
  }

  assert {
    condition     = !contains(flatten([for s in data.aws_iam_policy_document.key_management.statement : s.actions]), "kms:ReplicateKey")
    error_message = "Managing a key must not include taking it to another region."
  }
}

run "a_region_that_is_not_among_them" {
  command = plan

  variables {
    data_residency = ["eu-central-1"]
  }

  expect_failures = [var.data_residency]
}

run "a_residency_of_nowhere" {
  command = plan

  variables {
    data_residency = []
  }

  expect_failures = [var.data_residency]
}

run "a_region_that_is_a_country" {
  command = plan

  variables {
    data_residency = ["eu-west-1", "ireland"]
  }

  expect_failures = [var.data_residency]
}
