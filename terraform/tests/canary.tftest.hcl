# A new version on a part of the stream: where the alias points, what the role keeps, what the state says is in force; and
# who may move the alias.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  streams = {
    cards   = { package = "tests/packages/cards.zip", table = { hash_key = "card_id" } }
    members = { package = "versions.tf", table = { hash_key = "member_id" } }
  }
}

run "a_canary_leaves_the_rest_where_it_was" {
  variables {
    canary = { cards = { stable = "6", percent = 10, release = "tests/packages/loans.release.json", reach = ["erase"] } }
  }

  assert {
    condition     = output.deployed["cards"].policy.name == "loans" && output.deployed["members"] == null
    error_message = "While a canary runs, in force is what the other version holds."
  }

  assert {
    condition     = terraform_data.released["cards"].input == jsondecode(file("tests/packages/loans.release.json")).package.sha256
    error_message = "The end of the apply must be of what is in force."
  }
}

run "a_canary_of_a_stream_that_is_not_there" {
  command = plan

  variables {
    canary = { loans = { stable = "6", percent = 10 } }
  }

  expect_failures = [var.canary]
}

run "a_canary_beside_no_version" {
  command = plan

  variables {
    canary = { cards = { stable = "$LATEST", percent = 10 } }
  }

  expect_failures = [var.canary]
}

run "a_canary_of_everything" {
  command = plan

  variables {
    canary = { cards = { stable = "6", percent = 100 } }
  }

  expect_failures = [var.canary]
}

run "a_canary_that_reaches_what_no_stream_does" {
  command = plan

  variables {
    canary = { cards = { stable = "6", percent = 10, reach = ["source"] } }
  }

  expect_failures = [var.canary]
}

run "who_releases_moves_aliases_and_looks" {
  command = plan

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.releaser.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      FindFunctions = [["lambda:ListFunctions"], ["*"]]
      MoveAlias = [
        ["lambda:CreateAlias", "lambda:GetAlias", "lambda:ListAliases", "lambda:ListVersionsByFunction", "lambda:UpdateAlias"],
        [for name in ["cards", "members"] : "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-${name}"],
      ]
      SeeAlarmsAndTraffic = [["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStatistics"], ["*"]]
    })
    error_message = "Who releases may move aliases and look, and neither change a function nor call it."
  }
}
