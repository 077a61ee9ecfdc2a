# Production in small: the same protection, so that what works here works there.
environment = "staging"
region      = "eu-west-1"
# allowed_account_ids = ["222222222222"] # refuses to plan anywhere else

tracing = "Active"

streams = {
  payments = {
    table     = { hash_key = "payment_id", ttl_attribute = "expires_at" }
    memory_mb = 1769 # one whole processor
  }
}
