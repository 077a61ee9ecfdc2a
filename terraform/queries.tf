# Events as tables, from the first minute: Athena works out where each day and hour lies (partition projection), so that
# nothing has to crawl the bucket. The columns are the policy's: `make package` writes them beside the zip, and where that
# is missing there is no table.

locals {
  database = replace(local.prefix, "-", "_")

  # By policy: what its events look like.
  tables = {
    for policy in keys(local.policies) : policy => [
      for name, stream in local.streams : local.releases[name].table
      if stream.policy == policy && can(local.releases[name].table.columns)
    ][0]
    if anytrue([for name, stream in local.streams : stream.policy == policy && can(local.releases[name].table.columns)])
  }

  results = "queries" # folder in the events bucket, whose readers are the same people

  # Before anything that is there: what is replayed has the day of its change, and what is held does not expire.
  first_day = {
    for policy, days in local.retention_days :
    policy => contains(keys(var.legal_hold), policy) ? "2020-01-01" : "NOW-${days.events + days.quarantine}DAYS"
  }

  queries = merge([
    for policy, table in local.tables : {
      for query in concat(["exposure", "notes", "lineage", "backfilled"], can(local.policies[policy].score.model) ? ["flag_rate"] : []) :
      "${policy}-${query}" => {
        policy = policy
        about  = local.query_descriptions[query]
        text = templatefile("${path.module}/queries/${query}.sql", {
          table   = "\"${local.database}\".\"${replace(policy, "-", "_")}\""
          names   = join(", ", [for field in keys(table.fields) : "'${replace(field, "'", "''")}'"])
          actions = join(", ", [for field in values(table.fields) : "'${field.action}'"])
          values  = join(", ", values(table.fields)[*].value)
        })
      }
      if query != "exposure" || length(table.fields) > 0
    }
  ]...)

  query_descriptions = {
    flag_rate  = "How many events the model flagged, by day"
    exposure   = "In what form each field left, under which version of the policy"
    notes      = "Leaks caught, values not handled, people erased, by day"
    lineage    = "Where one event is from and under what it was made"
    backfilled = "How much each export brought"
  }
}

resource "aws_glue_catalog_database" "events" {
  name        = local.database
  description = "Sanitised events of ${local.prefix}"
}

# https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
resource "aws_glue_catalog_table" "events" {
  for_each = local.tables

  name          = replace(each.key, "-", "_")
  database_name = aws_glue_catalog_database.events.name
  description   = "Events under the policy ${each.key}. Values are texts: cast numbers, as CAST(new.amount AS decimal(18, 2))."
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    "EXTERNAL"                    = "TRUE"
    "classification"              = "json"
    "projection.enabled"          = "true"
    "projection.dt.type"          = "date"
    "projection.dt.format"        = "yyyy-MM-dd"
    "projection.dt.range"         = "${local.first_day[each.key]},NOW+1DAYS"
    "projection.dt.interval"      = "1"
    "projection.dt.interval.unit" = "DAYS"
    "projection.hour.type"        = "integer"
    "projection.hour.range"       = "0,23"
    "projection.hour.digits"      = "2"
    "storage.location.template"   = "s3://${aws_s3_bucket.this["events"].bucket}/events/${each.key}/dt=$${dt}/hour=$${hour}/"
  }

  partition_keys {
    name = "dt"
    type = "string"
  }
  partition_keys {
    name = "hour"
    type = "int"
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.this["events"].bucket}/events/${each.key}/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"

      # `[redacted]` instead of a whole map is no struct: null for it, rather than an end to the query.
      parameters = merge(
        { "case.insensitive" = "true", "use.null.for.invalid.data" = "true" },
        { for column, name in each.value.mapping : "mapping.${column}" => name },
      )
    }

    dynamic "columns" {
      for_each = each.value.columns

      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }
}

resource "aws_athena_workgroup" "events" {
  name          = local.prefix
  description   = "Queries of the events of ${local.prefix}"
  force_destroy = !var.deletion_protection

  configuration {
    bytes_scanned_cutoff_per_query     = var.query_scan_limit_gb * 1024 * 1024 * 1024
    enforce_workgroup_configuration    = true # or a client could choose where results go
    publish_cloudwatch_metrics_enabled = true

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location       = "s3://${aws_s3_bucket.this["events"].bucket}/${local.results}/"
      expected_bucket_owner = local.account

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.data.arn
      }
    }
  }
}

resource "aws_athena_named_query" "events" {
  for_each = local.queries

  name        = each.key
  description = each.value.about
  workgroup   = aws_athena_workgroup.events.id
  database    = aws_glue_catalog_database.events.name
  query       = each.value.text
}

# --- Who asks ----------------------------------------------------------------------------------------

# Nobody has this power until it is attached to somebody's role. It opens no token, and neither the trail nor the quarantine.
resource "aws_iam_policy" "analyst" {
  name        = "${local.prefix}-analyst"
  description = "Query the events of ${local.prefix}"
  policy      = data.aws_iam_policy_document.analyst.json
}

data "aws_iam_policy_document" "analyst" {
  statement {
    sid = "Query"
    actions = [
      "athena:BatchGetNamedQuery", "athena:BatchGetQueryExecution", "athena:GetNamedQuery", "athena:GetQueryExecution",
      "athena:GetQueryResults", "athena:GetQueryRuntimeStatistics", "athena:GetWorkGroup", "athena:ListNamedQueries",
      "athena:ListQueryExecutions", "athena:StartQueryExecution", "athena:StopQueryExecution",
    ]
    resources = [local.asking.workgroup]
  }

  statement {
    sid       = "SeeTables"
    actions   = ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
    resources = local.asking.catalog
  }

  statement {
    sid       = "FindBucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.reach.events]
  }

  statement {
    sid       = "ListEventsAndResults"
    actions   = ["s3:ListBucket"]
    resources = [local.reach.events]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["events/*", "${local.results}/*"]
    }
  }

  statement {
    sid       = "ReadEventsAndResults"
    actions   = ["s3:GetObject"]
    resources = ["${local.reach.events}/events/*", "${local.reach.events}/${local.results}/*"]
  }

  # Athena writes them in the caller's name; a large one in parts.
  statement {
    sid       = "WriteResults"
    actions   = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
    resources = ["${local.reach.events}/${local.results}/*"]
  }

  # Through S3 alone: an encrypted value that somebody finds among the events stays sealed.
  statement {
    sid       = "UseBucket"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.reach.data_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

locals {
  # Values rather than references, as in access.tf.
  asking = {
    workgroup = "arn:${data.aws_partition.current.partition}:athena:${var.region}:${local.account}:workgroup/${local.prefix}"
    catalog = concat(
      [
        for part in ["catalog", "database/${local.database}"] :
        "arn:${data.aws_partition.current.partition}:glue:${var.region}:${local.account}:${part}"
      ],
      [
        for policy in keys(local.tables) :
        "arn:${data.aws_partition.current.partition}:glue:${var.region}:${local.account}:table/${local.database}/${replace(policy, "-", "_")}"
      ],
    )
  }
}

output "queries" {
  description = "Where to ask: the Athena workgroup, the Glue database, its tables by policy, and the queries that stand ready by name."
  value = {
    workgroup = aws_athena_workgroup.events.name
    database  = aws_glue_catalog_database.events.name
    tables    = { for policy, table in aws_glue_catalog_table.events : policy => table.name }
    results   = "s3://${aws_s3_bucket.this["events"].bucket}/${local.results}/"
    named     = { for name, query in aws_athena_named_query.events : name => query.id }
  }
}

output "analyst_policy_arn" {
  description = "Managed policy for who queries the events: the workgroup, the tables, the events. It opens nothing else."
  value       = aws_iam_policy.analyst.arn
}
