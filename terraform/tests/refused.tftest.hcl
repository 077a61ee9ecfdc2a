# Settings that cannot work, refused before anything is touched.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment     = "test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf"
  streams         = { cards = { package = "versions.tf", table = { hash_key = "id" } } }
}

run "the_settings_that_the_others_spoil_are_fine" {
  command = plan
}

run "no_stream_at_all" {
  command = plan

  variables {
    streams = {}
  }

  expect_failures = [var.streams]
}

run "a_stream_with_neither_table_nor_stream_arn" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf" } }
  }

  expect_failures = [var.streams]
}

run "a_stream_with_both_table_and_stream_arn" {
  command = plan

  variables {
    streams = {
      cards = {
        package    = "versions.tf"
        table      = { hash_key = "id" }
        stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards/stream/2026-01-01T00:00:00.000"
      }
    }
  }

  expect_failures = [var.streams]
}

run "the_arn_of_a_table_for_that_of_its_stream" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/cards" } }
  }

  expect_failures = [var.streams]
}

run "a_name_that_cannot_be_a_function" {
  command = plan

  variables {
    streams = { "Cards!" = { policy = "cards", package = "versions.tf", table = { hash_key = "id" } } }
  }

  expect_failures = [var.streams]
}

run "a_name_that_the_gate_has_taken" {
  command = plan

  variables {
    streams = { erase = { policy = "cards", package = "versions.tf", table = { hash_key = "id" } } }
  }

  expect_failures = [var.streams]
}

run "a_key_type_that_does_not_exist" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id", key_types = { id = "SS" } } } }
  }

  expect_failures = [var.streams]
}

run "a_policy_that_does_not_exist" {
  command = plan

  variables {
    streams = { cards = { policy = "crads", package = "versions.tf", table = { hash_key = "id" } } }
  }

  expect_failures = [var.streams]
}

run "a_package_that_was_not_built" {
  command = plan

  variables {
    streams = { cards = { package = "missing.zip", table = { hash_key = "id" } } }
  }

  expect_failures = [var.streams]
}

run "a_batch_over_what_lambda_takes" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, batch_size = 10001 } }
  }

  expect_failures = [var.streams]
}

run "a_window_over_five_minutes" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, batch_window_s = 301 } }
  }

  expect_failures = [var.streams]
}

run "eleven_batches_at_once" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, parallelization_factor = 11 } }
  }

  expect_failures = [var.streams]
}

run "retries_without_sense" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, retries = -2 } }
  }

  expect_failures = [var.streams]
}

run "a_record_age_past_the_stream_s_memory" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, max_record_age_s = 86400 } }
  }

  expect_failures = [var.streams]
}

run "a_record_age_without_end" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, max_record_age_s = -1 } }
  }

  expect_failures = [var.streams]
}

run "too_little_memory" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, memory_mb = 64 } }
  }

  expect_failures = [var.streams]
}

run "a_timeout_over_lambda_s" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, timeout_s = 901 } }
  }

  expect_failures = [var.streams]
}

run "a_reservation_that_stops_the_stream" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, reserved_concurrency = 0 } }
  }

  expect_failures = [var.streams]
}

run "half_a_record" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, batch_size = 10.5 } }
  }

  expect_failures = [var.streams]
}

run "a_filter_that_is_no_pattern" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, filters = ["eventName = INSERT"] } }
  }

  expect_failures = [var.streams]
}

run "a_filter_that_is_a_list" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, filters = ["[1]"] } }
  }

  expect_failures = [var.streams]
}

run "more_filters_than_lambda_takes" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, filters = ["{}", "{}", "{}", "{}", "{}", "{}"] } }
  }

  expect_failures = [var.streams]
}

run "more_runs_kept_warm_than_there_may_be" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, reserved_concurrency = 2, provisioned_concurrency = 3 } }
  }

  expect_failures = [var.streams]
}

run "fewer_runs_kept_warm_than_none" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, provisioned_concurrency = -1 } }
  }

  expect_failures = [var.streams]
}

run "an_alarm_that_rings_at_every_batch" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, iterator_age_alarm_s = 5 } }
  }

  expect_failures = [var.streams]
}

run "an_alarm_that_rings_when_it_is_too_late" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id" }, max_record_age_s = 600, iterator_age_alarm_s = 600 } }
  }

  expect_failures = [var.streams]
}

run "a_name_that_cannot_be_a_table" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id", name = "my cards" } } }
  }

  expect_failures = [var.streams]
}

run "the_type_of_what_is_no_key" {
  command = plan

  variables {
    streams = { cards = { package = "versions.tf", table = { hash_key = "id", key_types = { at = "N" } } } }
  }

  expect_failures = [var.streams]
}

run "two_tables_of_one_name" {
  command = plan

  variables {
    streams = {
      cards = { package = "versions.tf", table = { hash_key = "id", name = "shared" } }
      loans = { package = "versions.tf", table = { hash_key = "id", name = "shared" } }
    }
  }

  expect_failures = [var.streams]
}

run "an_account_that_is_a_name" {
  command = plan

  variables {
    allowed_account_ids = ["production"]
  }

  expect_failures = [var.allowed_account_ids]
}

run "no_account_at_all" {
  command = plan

  variables {
    allowed_account_ids = []
  }

  expect_failures = [var.allowed_account_ids]
}

run "a_tag_that_says_whose_everything_is" {
  command = plan

  variables {
    tags = { environment = "prod" }
  }

  expect_failures = [var.tags]
}

run "a_tag_of_aws" {
  command = plan

  variables {
    tags = { "aws:owner" = "us" }
  }

  expect_failures = [var.tags]
}

run "a_pager_in_another_region" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:us-east-1:123456789012:on-call"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "a_pager_that_is_a_queue" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sqs:eu-west-1:123456789012:on-call"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "a_topic_of_notices_that_is_fifo" {
  command = plan

  variables {
    notices_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:team.fifo"]
  }

  expect_failures = [var.notices_topic_arns]
}

run "a_runbook_that_is_no_address" {
  command = plan

  variables {
    runbook_url = "wiki/runbook"
  }

  expect_failures = [var.runbook_url]
}

run "a_runbook_at_one_of_its_sections" {
  command = plan

  variables {
    runbook_url = "https://wiki.example.org/runbook#errors"
  }

  expect_failures = [var.runbook_url]
}

run "a_folder_without_policies" {
  command = plan

  variables {
    policies_folder = "tests/packages"
    streams         = { cards = { package = "versions.tf", table = { hash_key = "id" } } }
  }

  expect_failures = [var.policies_folder]
}

run "settings_of_the_environment_that_cannot_work" {
  command = plan

  variables {
    environment              = "production-eu-west"
    region                   = "europe"
    runtime                  = "python3.11"
    architecture             = "riscv"
    tracing                  = "On"
    access_package           = "missing.zip"
    access_concurrency       = { detokenize = -2 }
    erasure_in_force_s       = 0
    subjects_recovery_days   = 36
    token_key_versions       = []
    key_deletion_window_days = 1
    audit_lock_mode          = "LOCKED"
  }

  expect_failures = [
    var.environment, var.region, var.runtime, var.architecture, var.tracing, var.access_package,
    var.access_concurrency, var.erasure_in_force_s, var.subjects_recovery_days, var.token_key_versions,
    var.key_deletion_window_days, var.audit_lock_mode,
  ]
}

run "a_token_key_version_that_is_no_count" {
  command = plan

  variables {
    token_key_versions = [1.5]
  }

  expect_failures = [var.token_key_versions]
}

run "a_token_key_version_named_twice" {
  command = plan

  variables {
    token_key_versions = [1, 2, 2]
  }

  expect_failures = [var.token_key_versions]
}

run "two_written_where_one_and_two_was_meant" {
  command = plan

  variables {
    token_key_versions = [2]
  }

  expect_failures = [var.token_key_versions_retired]
}

run "a_version_that_is_kept_and_retired" {
  command = plan

  variables {
    token_key_versions         = [1, 2]
    token_key_versions_retired = [1]
  }

  expect_failures = [var.token_key_versions_retired]
}

run "the_newest_version_retired" {
  command = plan

  variables {
    token_key_versions         = [1]
    token_key_versions_retired = [2]
  }

  expect_failures = [var.token_key_versions_retired]
}

run "an_erasure_that_takes_longer_than_a_quarter_of_an_hour" {
  command = plan

  variables {
    erasure_in_force_s = 901
  }

  expect_failures = [var.erasure_in_force_s]
}
