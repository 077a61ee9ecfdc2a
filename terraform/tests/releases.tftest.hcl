# What the state keeps of each package: what `make package` wrote beside the zip, if it is of that very zip.

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
      package = "tests/packages/cards.zip"
      table   = { hash_key = "card_id" }
    }
    loans = {
      package = "tests/packages/loans.zip" # not the one that loans.release.json is of
      table   = { hash_key = "loan_id" }
    }
    members = {
      package = "versions.tf" # nothing stands beside it
      table   = { hash_key = "member_id" }
    }
  }
}

run "what_a_package_brings_is_kept" {
  assert {
    condition     = output.deployed["cards"].policy.version == 3 && output.deployed["cards"].model.id == "cards_fraud@0123456789ab" && output.deployed["cards"].model.figures.average_precision == 0.7276
    error_message = "The state must say which policy and model are in force, with the model's figures."
  }

  assert {
    condition     = terraform_data.released["cards"].input == filesha256("tests/packages/cards.zip")
    error_message = "What hangs on the end of the apply must change with the package."
  }
}

run "what_is_of_another_package_is_not" {
  assert {
    condition     = output.deployed["loans"] == null && output.deployed["members"] == null
    error_message = "Of a package with nothing beside it, or with what is of another one, nothing may be said."
  }
}
