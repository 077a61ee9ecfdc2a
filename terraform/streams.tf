module "stream" {
  source   = "./modules/stream"
  for_each = local.streams

  name     = each.value.name
  policy   = each.value.policy
  boundary = aws_iam_policy.boundary.arn

  # What it reads
  stream_arn = (
    each.value.table == null ? each.value.stream_arn :
    each.value.source == "kinesis" ? aws_dynamodb_kinesis_streaming_destination.source[each.key].stream_arn :
    aws_dynamodb_table.source[each.key].stream_arn
  )
  kinesis = each.value.source == "dynamodb" ? null : {
    table_arn = local.source_tables[each.key]
    start_at  = try(each.value.kinesis.start_at, null)
  }
  source_key_arn         = each.value.table == null ? each.value.source_key_arn : aws_kms_key.data.arn
  filters                = each.value.filters
  batch_size             = each.value.batch_size
  batch_window_s         = each.value.batch_window_s
  parallelization_factor = each.value.parallelization_factor
  retries                = each.value.retries
  max_record_age_s       = each.value.max_record_age_s
  bisect                 = each.value.bisect

  # What runs
  package                 = each.value.package
  release                 = local.release_names[each.key]
  canary                  = lookup(var.canary, each.key, null)
  runtime                 = var.runtime
  architecture            = var.architecture
  memory_mb               = each.value.memory_mb
  timeout_s               = each.value.timeout_s
  reserved_concurrency    = each.value.reserved_concurrency
  provisioned_concurrency = each.value.provisioned_concurrency
  tracing                 = var.tracing
  log_retention_days      = local.retention_days[each.value.policy].logs

  # What it writes
  buckets          = { for name, bucket in aws_s3_bucket.this : name => { name = bucket.bucket, arn = bucket.arn } }
  alerts_topic_arn = aws_sns_topic.alerts.arn
  publishes_alerts = local.policies[each.value.policy].routes.sns.events != "none"
  ledger           = { name = aws_dynamodb_table.ledger.name, arn = aws_dynamodb_table.ledger.arn }
  subjects         = { name = aws_dynamodb_table.subjects.name, arn = aws_dynamodb_table.subjects.arn }
  profiles         = { name = aws_dynamodb_table.profiles.name, arn = aws_dynamodb_table.profiles.arn }
  scores           = can(local.policies[each.value.policy].score.model)
  subject_cache_s  = var.erasure_in_force_s
  by_subject       = local.by_subject[each.value.policy]
  erases_removed   = try(local.policies[each.value.policy].on_remove, "pass") == "erase"
  data_key_arn     = aws_kms_key.data.arn
  audit_key_arn    = aws_kms_key.audit.arn
  token_key_arns   = { for version, key in aws_kms_key.token : version => key.arn }

  # Who is told
  flag_rate            = local.flag_rates[each.key]
  iterator_age_alarm_s = each.value.iterator_age_alarm_s
  alarm_topic_arns     = var.alarm_topic_arns
  notices_topic_arns   = local.notices_topic_arns
  runbook_url          = var.runbook_url

  # Changed after the functions on people, so that these never have a shorter ring of token keys while a version is added:
  # detokenize would call a new token invalid, and erase not know the newest name of a person. Where a version retires the
  # order would have to be the other one, which Terraform cannot have as well. For the seconds between, a stream may still
  # put somebody whom it meets for the first time under the retired name too, where erase no longer looks: what it leaves
  # there is a secret under a name that nobody can derive again, and the name that all go by is the tombstone.
  after = [for function in module.access : function.alias_arn]
}
