# Real payments.
environment = "prod"
region      = "eu-west-1"
# allowed_account_ids = ["333333333333"] # refuses to plan anywhere else
# alarm_topic_arns    = ["arn:aws:sns:eu-west-1:333333333333:on-call"]

# Nobody, the account's root included, can delete a manifest before its retention ends. There is no way back from this.
audit_lock_mode = "COMPLIANCE"

# A week to notice that the subjects table was damaged; and an erased person's secret is gone for good after that week.
# Agree on it with whoever answers for erasures: the receipts say the date.
subjects_recovery_days = 7

streams = {
  payments = {
    # To guard a table you already have: its stream instead of `table`, and its KMS key if it has one of its own.
    # stream_arn     = "arn:aws:dynamodb:eu-west-1:333333333333:table/payments/stream/2026-01-01T00:00:00.000"
    # source_key_arn = "arn:aws:kms:eu-west-1:333333333333:key/…"
    table                  = { hash_key = "payment_id", ttl_attribute = "expires_at" }
    batch_window_s         = 10
    parallelization_factor = 4
    memory_mb              = 1769 # one whole processor
    iterator_age_alarm_s   = 300
  }
}
