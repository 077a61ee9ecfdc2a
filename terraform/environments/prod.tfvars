# Real payments. What has the account 333333333333 in it must become yours before the first plan, which is refused in any
# other account.
environment         = "prod"
region              = "eu-west-1"
allowed_account_ids = ["333333333333"]

# Who is woken, and who reads in the morning what can wait. The topics belong to whoever runs the rota; CloudWatch has to be
# allowed to publish to them.
alarm_topic_arns   = ["arn:aws:sns:eu-west-1:333333333333:on-call"]
notices_topic_arns = ["arn:aws:sns:eu-west-1:333333333333:team"]
# runbook_url      = "https://…/docs/runbook.md" # what the alarms link to

# Where the data may lie. A second region is a decision of whoever answers for it, and moves nothing by itself.
data_residency = ["eu-west-1"]

# Nobody, the account's root included, can delete a manifest before its retention ends. There is no way back from this.
audit_lock_mode = "COMPLIANCE"

# As by default, and said because it is meant: neither a table nor what a bucket holds goes with a destroy.
deletion_protection = true

# A week to notice that the subjects table was damaged; and an erased person's secret is gone for good after that week.
# Agree on it with whoever answers for erasures: the receipts say the date.
subjects_recovery_days = 7

streams = {
  payments = {
    table                  = { hash_key = "payment_id", ttl_attribute = "expires_at" }
    batch_window_s         = 10
    parallelization_factor = 4
    memory_mb              = 1769 # one whole processor
    reserved_concurrency   = 40   # ten shards, four batches of each at once; nothing else in the account can take them
    iterator_age_alarm_s   = 300
    # provisioned_concurrency = 4 # where an alert must not wait for a start; paid for by the hour
  }

  # A table that was there before: its latest stream and, if it has a KMS key of its own, that key. Nothing of it is changed.
  #   aws dynamodb describe-table --table-name customers --query 'Table.[LatestStreamArn, SSEDescription.KMSMasterKeyArn]'
  customers = {
    stream_arn           = "arn:aws:dynamodb:eu-west-1:333333333333:table/customers/stream/2026-01-01T00:00:00.000"
    source_key_arn       = "arn:aws:kms:eu-west-1:333333333333:key/00000000-0000-0000-0000-000000000000"
    batch_window_s       = 10
    reserved_concurrency = 10
    iterator_age_alarm_s = 300
  }
}
