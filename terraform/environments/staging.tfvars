# Production in small: the same protection, so that what works here works there. But the lock of the audit trail can be
# lifted, so that an environment for rehearsals can be taken down.
environment = "staging"
region      = "eu-west-1"
# allowed_account_ids = ["222222222222"] # refuses to plan anywhere else
# alarm_topic_arns    = ["arn:aws:sns:eu-west-1:222222222222:team"]

tracing = "Active"

streams = {
  payments = {
    table                  = { hash_key = "payment_id", ttl_attribute = "expires_at" }
    parallelization_factor = 2
    memory_mb              = 1769 # one whole processor
    reserved_concurrency   = 4
  }
  customers = {
    table = { hash_key = "customer_id" }
  }
}
