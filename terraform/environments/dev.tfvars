# For trying policies and models on made-up data: cheap to run, easy to remove.
environment = "dev"
region      = "eu-west-1"
# allowed_account_ids = ["111111111111"] # refuses to plan anywhere else

deletion_protection      = false
key_deletion_window_days = 7
tracing                  = "Active"

# Made-up people: nothing to restore, and an erasure can be seen to be final at once.
subjects_recovery_days = 0
erasure_in_force_s     = 10
access_concurrency     = { detokenize = -1, erase = -1 } # the quota of a new account leaves nothing to reserve

streams = {
  payments = {
    table          = { hash_key = "payment_id", ttl_attribute = "expires_at" }
    batch_window_s = 1
    memory_mb      = 1024
  }
  customers = {
    table          = { hash_key = "customer_id" }
    batch_window_s = 1
  }
}
