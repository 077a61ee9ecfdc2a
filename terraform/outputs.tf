output "streams" {
  description = "Per stream: what to look at, what to call, what to grant."
  value = {
    for name, stream in module.stream : name => merge(stream, {
      policy       = local.streams[name].policy
      source       = local.streams[name].source
      source_table = split("/", local.source_tables[name])[1]
      # What raw records lie in besides the table: null without one, or the hours for which nobody here decides.
      data_stream = !contains(keys(local.data_streams), name) ? null : {
        arn             = local.data_streams[name]
        retention_hours = try(local.kinesis.made[name].retention_hours, null)
      }
    })
  }
}

output "buckets" {
  description = "Names of the buckets: events, audit, quarantine."
  value       = { for name, bucket in aws_s3_bucket.this : name => bucket.bucket }
}

output "alerts_topic_arn" {
  description = "Subscribe to this for flagged events."
  value       = aws_sns_topic.alerts.arn
}

output "ledger_table" {
  description = "Which record went into which object."
  value       = aws_dynamodb_table.ledger.name
}

output "detokenize" {
  description = "What opens tokens: attach caller_policy_arn to the roles that may ask."
  value       = module.access["detokenize"]
}

output "erase" {
  description = "What erases people: attach caller_policy_arn to the roles that may ask."
  value       = module.access["erase"]
}

output "auditor_policy_arn" {
  description = "Managed policy for who checks the audit trail: all that `tidegate audit` needs."
  value       = aws_iam_policy.auditor.arn
}

output "key_steward_policy_arn" {
  description = "Managed policy for who adds and retires token keys: all that `tidegate keys status` needs."
  value       = aws_iam_policy.key_steward.arn
}

output "profiles_table" {
  description = "Table of the totals that models keep of customers, terminals and the like, under pseudonyms."
  value       = aws_dynamodb_table.profiles.name
}

output "subjects_table" {
  description = "A secret of each person, or the tombstone of one who was erased."
  value       = aws_dynamodb_table.subjects.name
}

output "receipts_key" {
  description = "What signs the receipts of erasures. To check one elsewhere: aws kms get-public-key --key-id <alias>."
  value       = { arn = aws_kms_key.receipts.arn, alias = aws_kms_alias.receipts.name }
}

output "data_key_arn" {
  description = "Readers of the events and the quarantine need kms:Decrypt on this key, through S3."
  value       = aws_kms_key.data.arn
}

output "audit_key_arn" {
  description = "Who reads the audit bucket needs kms:Decrypt on this key, through S3."
  value       = aws_kms_key.audit.arn
}

output "token_key_arns" {
  description = "Token keys by version."
  value       = { for version, key in aws_kms_key.token : version => key.arn }
}

output "region" {
  description = "Region of everything above."
  value       = var.region
}

output "data_residency" {
  description = "Regions in which the data may lie."
  value       = local.regions
}

output "dashboard" {
  description = "Name of the CloudWatch dashboard: where to look first."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "account_id" {
  description = "Account of everything above."
  value       = local.account
}

# No secret: marked as one only so that a plan does not print whole policies; make plan shows what differs between them.
output "deployed" {
  description = "Per stream: the policy and the model in force, as the package brought them; null if its package had nothing beside it. To read it: terraform output -json deployed."
  sensitive   = true
  value = {
    for name, release in local.in_force : name => terraform_data.released[name].output == null ? null : release
  }
}
