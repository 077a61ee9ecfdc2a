# The embedded AWS on loopback: everything can be thrown away, nothing waits long. Add -var runtime and -var architecture
# to match the Python and the processor of this machine.
environment = "local"
region      = "eu-west-1"
embedded    = true

log_data_protection = false # moto has none

deletion_protection      = false
key_deletion_window_days = 7
erasure_in_force_s       = 1

streams = {
  payments = {
    table          = { hash_key = "payment_id", ttl_attribute = "expires_at" }
    batch_size     = 200
    batch_window_s = 1
    retries        = 5
  }
  customers = {
    table          = { hash_key = "customer_id" }
    source         = "kinesis" # as no other environment has it, so that both ways are tried
    batch_size     = 200
    batch_window_s = 1
    retries        = 5
  }
}

backfills = { payments = {} }
