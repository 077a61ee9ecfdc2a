# detokenize and erase, the two functions on people. All streams share them. Here is what they have in common; what each
# may do and know alone stands in a file of its own.

module "access" {
  source   = "./modules/access"
  for_each = { detokenize = local.detokenize, erase = local.erase }

  power       = each.key
  name        = local.access[each.key]
  description = each.value.description
  powers      = each.value.powers
  boundary    = aws_iam_policy.boundary.arn

  # What runs
  package              = "${path.root}/${var.access_package}"
  runtime              = var.runtime
  architecture         = var.architecture
  reserved_concurrency = var.access_concurrency[each.key]
  tracing              = var.tracing
  log_retention_days   = max([for days in values(local.retention_days) : days.logs]...)

  # What it reaches
  audit          = { name = aws_s3_bucket.this["audit"].bucket, arn = aws_s3_bucket.this["audit"].arn }
  ledger         = { name = aws_dynamodb_table.ledger.name, arn = aws_dynamodb_table.ledger.arn }
  subjects_table = aws_dynamodb_table.subjects.name
  data_key_arn   = aws_kms_key.data.arn
  audit_key_arn  = aws_kms_key.audit.arn
  token_key_arns = { for version, key in aws_kms_key.token : version => key.arn }
  environment    = each.value.environment

  # Who is told
  alarm_topic_arns   = var.alarm_topic_arns
  notices_topic_arns = local.notices_topic_arns
  runbook_url        = var.runbook_url
}

locals {
  access = { for power in ["detokenize", "erase"] : power => "${local.prefix}-${power}" }

  # What they and the people who look reach. The documents go by these values: were they to refer to the resources,
  # Terraform would put off reading them whenever one of those changes, and show what they are attached to as changed too.
  reach = {
    events     = aws_s3_bucket.this["events"].arn
    audit      = aws_s3_bucket.this["audit"].arn
    ledger     = aws_dynamodb_table.ledger.arn
    subjects   = aws_dynamodb_table.subjects.arn
    profiles   = aws_dynamodb_table.profiles.arn
    data_key   = aws_kms_key.data.arn
    audit_key  = aws_kms_key.audit.arn
    receipts   = aws_kms_key.receipts.arn
    token_keys = [for key in aws_kms_key.token : key.arn]
  }
}
