# A legal hold: what a policy's streams have written stays until somebody lifts it, whatever the policy says of retention.
# docs/legal-hold.md says how to put one on, what it does not keep, and how to lift it.

locals {
  # By bucket: the folders of which nothing expires or is deleted. What is recorded of people is of all policies at once.
  held = {
    for name, bucket in local.buckets : name => concat(
      [for policy in keys(var.legal_hold) : "${bucket.folder}/${policy}"],
      name == "audit" && length(var.legal_hold) > 0 ? keys(local.records_retention_days) : [],
    )
  }
}

# Says so in each plan and apply, and stops neither: whether a hold is over is for people to say.
check "legal_hold" {
  assert {
    condition = alltrue([
      for hold in values(var.legal_hold) : hold.until == null ? true : timecmp("${hold.until}T23:59:59Z", plantimestamp()) >= 0
    ])
    error_message = "A legal hold is past its day: ask whoever put it on, then take it out of legal_hold or give it another day."
  }
}

output "legal_hold" {
  description = "Policies whose events, trail and quarantine are kept whatever their retention, with the reason."
  value       = var.legal_hold
}
