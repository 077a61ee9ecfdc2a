# Events as tables, who may ask, and what stays shut for them.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_s3_bucket.this["events"]
  values = { arn = "arn:aws:s3:::the-events" }
}

override_resource {
  target = aws_kms_key.data
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/data" }
}

variables {
  environment     = "a-test"
  region          = "eu-west-1"
  policies_folder = "tests/policies"
  access_package  = "versions.tf" # any file: Terraform only hashes it

  query_scan_limit_gb = 5
  query_results_days  = 3

  streams = {
    cards   = { package = "tests/packages/cards.zip", table = { hash_key = "card_id" } }
    members = { package = "versions.tf", table = { hash_key = "member_id" } } # nothing stands beside it
  }
}

run "events_are_a_table_without_a_crawler" {
  assert {
    condition     = keys(aws_glue_catalog_table.events) == ["cards"] && aws_glue_catalog_table.events["cards"].database_name == "tidegate_a_test"
    error_message = "There must be a table of each policy whose package says what its events look like, and of no other."
  }

  assert {
    condition = jsonencode({
      for column in aws_glue_catalog_table.events["cards"].storage_descriptor[0].columns : column.name => column.type
      }) == jsonencode({
      event_id = "string", new = "struct<id:string,card:string,e_mail:string>", policy = "struct<name:string,version:bigint>"
    })
    error_message = "The columns must be those that the package brings."
  }

  assert {
    condition = jsonencode(aws_glue_catalog_table.events["cards"].storage_descriptor[0].ser_de_info[0].parameters) == jsonencode({
      "case.insensitive" = "true", "mapping.e_mail" = "e-mail", "use.null.for.invalid.data" = "true"
    })
    error_message = "A name that no column can have must be mapped, and a redacted map must not end a query."
  }

  # Thirty-one days of events, and what thirteen of quarantine bring back later.
  assert {
    condition = jsonencode({
      for name, value in aws_glue_catalog_table.events["cards"].parameters : name => value if startswith(name, "projection") || startswith(name, "storage")
      }) == jsonencode({
      "projection.enabled"          = "true"
      "projection.dt.type"          = "date"
      "projection.dt.format"        = "yyyy-MM-dd"
      "projection.dt.range"         = "NOW-44DAYS,NOW+1DAYS"
      "projection.dt.interval"      = "1"
      "projection.dt.interval.unit" = "DAYS"
      "projection.hour.type"        = "integer"
      "projection.hour.range"       = "0,23"
      "projection.hour.digits"      = "2"
      "storage.location.template"   = "s3://tidegate-a-test-events-123456789012/events/cards/dt=$${dt}/hour=$${hour}/"
    })
    error_message = "Days and hours must be worked out as the gate names its objects."
  }
}

run "what_a_query_may_cost_and_where_its_results_go" {
  assert {
    condition     = aws_athena_workgroup.events.configuration[0].bytes_scanned_cutoff_per_query == 5 * 1024 * 1024 * 1024 && aws_athena_workgroup.events.configuration[0].enforce_workgroup_configuration && aws_athena_workgroup.events.configuration[0].publish_cloudwatch_metrics_enabled
    error_message = "A query must be cut off at the limit, whatever its client asks for, and be counted."
  }

  assert {
    condition = (
      aws_athena_workgroup.events.configuration[0].result_configuration[0].output_location == "s3://tidegate-a-test-events-123456789012/queries/" &&
      aws_athena_workgroup.events.configuration[0].result_configuration[0].expected_bucket_owner == "123456789012" &&
      aws_athena_workgroup.events.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option == "SSE_KMS" &&
      aws_athena_workgroup.events.configuration[0].result_configuration[0].encryption_configuration[0].kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/data"
    )
    error_message = "Results must be encrypted with the data key, in the events bucket of this account."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this["events"].rule : rule.expiration[0].days if rule.id == "queries"] == [3]
    error_message = "Results must expire."
  }

  assert {
    condition     = keys(aws_athena_named_query.events) == ["cards-backfilled", "cards-exposure", "cards-lineage", "cards-notes"]
    error_message = "There must be queries for each table, and of flags only where a model scores: ${jsonencode(keys(aws_athena_named_query.events))}"
  }

  assert {
    condition     = strcontains(aws_athena_named_query.events["cards-exposure"].query, "FROM \"tidegate_a_test\".\"cards\"") && strcontains(aws_athena_named_query.events["cards-exposure"].query, "ARRAY['card', 'e''mail']") && strcontains(aws_athena_named_query.events["cards-exposure"].query, "ARRAY[new.\"card\", new.\"e_mail\"]")
    error_message = "The query must name the table and its fields: ${aws_athena_named_query.events["cards-exposure"].query}"
  }
}

run "analysts_see_events_and_nothing_else" {
  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.analyst.statement : s.sid => [sort(s.actions), sort(s.resources)]
      }) == jsonencode({
      Query = [
        [
          "athena:BatchGetNamedQuery", "athena:BatchGetQueryExecution", "athena:GetNamedQuery", "athena:GetQueryExecution",
          "athena:GetQueryResults", "athena:GetQueryRuntimeStatistics", "athena:GetWorkGroup", "athena:ListNamedQueries",
          "athena:ListQueryExecutions", "athena:StartQueryExecution", "athena:StopQueryExecution",
        ],
        ["arn:aws:athena:eu-west-1:123456789012:workgroup/tidegate-a-test"],
      ]
      SeeTables = [
        ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"],
        [for part in ["catalog", "database/tidegate_a_test", "table/tidegate_a_test/cards"] : "arn:aws:glue:eu-west-1:123456789012:${part}"],
      ]
      FindBucket           = [["s3:GetBucketLocation"], ["arn:aws:s3:::the-events"]]
      ListEventsAndResults = [["s3:ListBucket"], ["arn:aws:s3:::the-events"]]
      ReadEventsAndResults = [["s3:GetObject"], ["arn:aws:s3:::the-events/events/*", "arn:aws:s3:::the-events/queries/*"]]
      WriteResults         = [["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"], ["arn:aws:s3:::the-events/queries/*"]]
      UseBucket            = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:123456789012:key/data"]]
    })
    error_message = "The powers of analysts changed: ${jsonencode({ for s in data.aws_iam_policy_document.analyst.statement : s.sid => [sort(s.actions), sort(s.resources)] })}"
  }

  assert {
    condition = jsonencode({
      for s in data.aws_iam_policy_document.analyst.statement : s.sid => [for c in s.condition : [c.test, c.variable, sort(c.values)]] if length(s.condition) > 0
      }) == jsonencode({
      ListEventsAndResults = [["StringLike", "s3:prefix", ["events/*", "queries/*"]]]
      UseBucket            = [["StringEquals", "kms:ViaService", ["s3.eu-west-1.amazonaws.com"]]]
    })
    error_message = "What an analyst lists and decrypts must be bounded."
  }
}

run "a_limit_is_a_limit" {
  variables {
    query_scan_limit_gb = 0
    query_results_days  = 0.5
  }

  command         = plan
  expect_failures = [var.query_scan_limit_gb, var.query_results_days]
}
