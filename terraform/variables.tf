# --- Where -------------------------------------------------------------------------------------------

variable "environment" {
  type        = string
  description = "Name of the environment. Every name carries it, so that several live side by side in one account."

  validation {
    # 12: the longest bucket name, tidegate-<env>-quarantine-<account>, must fit into 63 characters.
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.environment))
    error_message = "environment must be 2 to 12 lower-case letters, digits or hyphens, beginning with a letter."
  }
}

variable "region" {
  type        = string
  description = "AWS region of everything but IAM."

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS region such as eu-west-1."
  }
}

variable "data_residency" {
  description = <<-EOT
    Regions in which the data of this environment may lie; null: `region` alone. `region` has to be among them, the buckets
    refuse requests that are made in any other, and refuse to be copied by replication whatever it says.
  EOT

  type    = set(string)
  default = null

  validation {
    condition     = contains(coalesce(var.data_residency, [var.region]), var.region)
    error_message = "region is not among data_residency: choose another region, or agree with whoever answers for the data that it may lie there, and add it."
  }

  validation {
    condition     = alltrue([for region in coalesce(var.data_residency, []) : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "data_residency must name AWS regions such as eu-west-1."
  }
}

variable "allowed_account_ids" {
  type        = set(string)
  description = "Accounts this environment may be applied to; null allows any. Keeps prod.tfvars out of the development account."
  default     = null

  validation {
    condition     = var.allowed_account_ids == null ? true : length(var.allowed_account_ids) > 0
    error_message = "allowed_account_ids is empty, which allows no account: name one, or leave it out."
  }

  validation {
    condition     = alltrue([for account in coalesce(var.allowed_account_ids, []) : can(regex("^[0-9]{12}$", account))])
    error_message = "allowed_account_ids must be account numbers of 12 digits, in quotes."
  }
}

variable "embedded" {
  type        = bool
  description = "Whether the AWS is an emulator on loopback. Switches three settings of the provider and allows any runtime, nothing else."
  default     = false
}

variable "tags" {
  type        = map(string)
  description = "Tags for everything, in addition to application and environment."
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.tags), ["application", "environment"])) == 0
    error_message = "tags cannot set application or environment: they say whose everything is. Choose other names."
  }

  validation {
    condition = alltrue([
      for name, value in var.tags : length(name) >= 1 && length(name) <= 128 && length(value) <= 256 && !startswith(lower(name), "aws:")
    ])
    error_message = "A tag's name must be 1 to 128 characters and not begin with aws:, and its value at most 256."
  }
}

# --- What flows: the streams are in variables_streams.tf ---------------------------------------------

variable "policies_folder" {
  type        = string
  description = "Folder of the masking policies, relative to this one."
  default     = "../policies"

  validation {
    condition     = length(fileset("${path.root}/${var.policies_folder}", "*.yaml")) > 0
    error_message = "policies_folder holds no .yaml file: give the folder of the masking policies, relative to terraform/."
  }
}

# --- People: whose tokens open, and who is forgotten -------------------------------------------------

variable "access_package" {
  type        = string
  description = "The zip of detokenize and erase, made by `make package`, relative to this folder."
  default     = "../.build/access.zip"

  validation {
    condition     = fileexists("${path.root}/${var.access_package}")
    error_message = "The package of detokenize and erase was not found: build it with `make package`, or give its path as `access_package`."
  }
}

variable "access_concurrency" {
  description = <<-EOT
    How many requests detokenize and erase answer at once. Reserved for them, so that nothing else in the account can
    starve them; and few, so that no caller gets far before an alarm rings. 0 shuts a function at once, in an
    emergency; -1 reserves and limits nothing, for an account whose quota leaves nothing to reserve.
  EOT

  type = object({
    detokenize = optional(number, 5)
    erase      = optional(number, 2)
  })
  default = {}

  validation {
    condition     = alltrue([for runs in values(var.access_concurrency) : runs >= -1 && runs <= 100 && floor(runs) == runs])
    error_message = "access_concurrency must be -1 (none reserved) to 100 runs for each function; 0 shuts it."
  }
}

variable "erasure_in_force_s" {
  type        = number
  description = "How long after an erasure a stream may still use the secret of the person, seconds: it asks for a secret again when it has had it this long. Shorter means more reads of the subjects table."
  default     = 60

  validation {
    condition     = var.erasure_in_force_s >= 1 && var.erasure_in_force_s <= 900 && floor(var.erasure_in_force_s) == var.erasure_in_force_s
    error_message = "erasure_in_force_s must be 1 to 900 whole seconds."
  }
}

variable "subjects_recovery_days" {
  description = <<-EOT
    For how many days the subjects table can be restored to an earlier second; 0: not at all. A trade-off, which an
    environment has to make: what can be restored can bring back the secret of somebody who was erased, so an erasure is
    final only after this many days, and every receipt says the date. Without recovery, losing the table by accident makes
    every token that goes by a person unreadable for good.
  EOT

  type    = number
  default = 7

  validation {
    condition     = var.subjects_recovery_days >= 0 && var.subjects_recovery_days <= 35 && floor(var.subjects_recovery_days) == var.subjects_recovery_days
    error_message = "subjects_recovery_days must be 0 (no recovery) to 35 whole days."
  }
}

# --- How it runs -------------------------------------------------------------------------------------

variable "runtime" {
  type        = string
  description = "Lambda runtime the packages were built for."
  default     = "python3.13"

  # Older runtimes have an operating system on which numpy does not run; the embedded AWS has this machine's.
  validation {
    condition     = var.embedded || contains(["python3.12", "python3.13"], var.runtime)
    error_message = "runtime must be python3.12 or python3.13."
  }
}

variable "architecture" {
  type        = string
  description = "Processor the packages were built for."
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "tracing" {
  type        = string
  description = "X-Ray: Active traces every batch, PassThrough only those that arrive traced."
  default     = "PassThrough"

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing)
    error_message = "tracing must be Active or PassThrough."
  }
}

variable "alarm_topic_arns" {
  type        = set(string)
  description = "SNS topics told when an alarm rings or recovers. Not the alerts topic: that is the fraud desk's."
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:${var.region}:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", arn))])
    error_message = "alarm_topic_arns must be ARNs of SNS topics in the region of the environment (arn:aws:sns:<region>:<account>:<name>): CloudWatch tells no others. A FIFO topic cannot be told."
  }
}

# --- What is kept, and how safely --------------------------------------------------------------------

variable "token_key_versions" {
  description = <<-EOT
    Versions of the token key. To rotate, add the next number and keep those before: [1, 2]. The highest makes tokens, all
    open them.

    Removing one retires it. From the next apply on no token of that version opens, and whoever is in the subjects table
    under its names alone is unknown, the erased included. KMS deletes the key after key_deletion_window_days. Until then
    it can be had back (aws kms cancel-key-deletion, terraform import, the version here again); afterwards its tokens are
    dead for good. `tidegate keys status` says which versions are in use. So that [2] is never written where [1, 2] was
    meant, a version that goes has to be named in token_key_versions_retired.
  EOT

  type    = list(number)
  default = [1]

  validation {
    condition     = length(var.token_key_versions) > 0
    error_message = "token_key_versions is empty: the gate needs at least one token key."
  }

  validation {
    condition     = alltrue([for v in var.token_key_versions : v >= 1 && floor(v) == v])
    error_message = "token_key_versions must be whole numbers from 1."
  }

  validation {
    condition     = length(distinct(var.token_key_versions)) == length(var.token_key_versions)
    error_message = "token_key_versions names a version twice."
  }
}

variable "token_key_versions_retired" {
  type        = list(number)
  description = "Versions of the token key that are gone, or are to go: nothing opens their tokens. See token_key_versions."
  default     = []

  validation {
    condition = length(setsubtract(
      range(1, try(max(var.token_key_versions...), 1)), concat(var.token_key_versions, var.token_key_versions_retired)
    )) == 0
    error_message = "token_key_versions skips a version: its key would be deleted, and its tokens with it. To rotate, keep it beside the new one. If nothing uses it any more (`tidegate keys status`), name it in token_key_versions_retired."
  }

  validation {
    condition     = length(setintersection(var.token_key_versions_retired, var.token_key_versions)) == 0
    error_message = "A version is both in token_key_versions and in token_key_versions_retired: leave it in one of them."
  }

  validation {
    condition     = alltrue([for v in var.token_key_versions_retired : v < try(max(var.token_key_versions...), 1)])
    error_message = "token_key_versions_retired names a version above those in use: the newest makes the tokens and cannot retire."
  }
}

variable "legal_hold" {
  description = <<-EOT
    By policy: why nothing of its events, audit trail and quarantine expires or can be deleted, and until which day that is
    expected to last; the day lifts nothing. docs/legal-hold.md.
  EOT

  type = map(object({
    reason = string
    until  = optional(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for policy in keys(var.legal_hold) : contains(keys(local.expiry_days), policy)])
    error_message = "legal_hold names a policy that has no file: holds are by policy, as payments."
  }

  validation {
    condition     = alltrue([for hold in values(var.legal_hold) : can(regex("^\\S[^\\n]{0,199}$", hold.reason))])
    error_message = "legal_hold needs a reason of 1 to 200 characters, such as the number of the case."
  }

  validation {
    condition     = alltrue([for hold in values(var.legal_hold) : hold.until == null ? true : can(formatdate("YYYY", "${hold.until}T00:00:00Z"))])
    error_message = "legal_hold.until must be a day, as 2027-03-31."
  }
}

variable "key_deletion_window_days" {
  type        = number
  description = "How long a deleted key can still be brought back."
  default     = 30

  validation {
    condition     = var.key_deletion_window_days >= 7 && var.key_deletion_window_days <= 30 && floor(var.key_deletion_window_days) == var.key_deletion_window_days
    error_message = "key_deletion_window_days must be 7 to 30 whole days."
  }
}

variable "bucket_logs_days" {
  type        = number
  description = "For how many days it is kept who asked what of the buckets. It names people who work here."
  default     = 90

  validation {
    condition     = var.bucket_logs_days >= 1 && var.bucket_logs_days <= 3653 && floor(var.bucket_logs_days) == var.bucket_logs_days
    error_message = "bucket_logs_days must be 1 to 3653 whole days."
  }
}

variable "audit_lock_mode" {
  type        = string
  description = "Object lock of the audit bucket: GOVERNANCE can be lifted by those with the right to, COMPLIANCE by nobody until the retention ends."
  default     = "GOVERNANCE"

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.audit_lock_mode)
    error_message = "audit_lock_mode must be GOVERNANCE or COMPLIANCE."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether tables refuse deletion and buckets refuse to be emptied by a destroy. Off only where the data is worthless."
  default     = true
}
