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

variable "allowed_account_ids" {
  type        = set(string)
  description = "Accounts this environment may be applied to; null allows any. Keeps prod.tfvars out of the development account."
  default     = null
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
}

# --- What flows --------------------------------------------------------------------------------------

variable "policies_folder" {
  type        = string
  description = "Folder of the masking policies, relative to this one."
  default     = "../policies"
}

variable "streams" {
  description = <<-EOT
    The streams to guard, by name. For each, either `table` (create the source table) or `stream_arn` (guard a
    table that exists: its stream must show NEW_AND_OLD_IMAGES, and nothing of the table is touched).

    policy                  policies/<policy>.yaml; the stream's own name when null
    package                 the zip made by `make package`, relative to this folder; ../.build/<stream>.zip when null
    table.name              tidegate-<env>-<stream> when null
    table.ttl_attribute     items past this epoch second are removed, and leave the stream as expired
    source_key_arn          the KMS key of an existing table that has one of its own
    filters                 event filter patterns (JSON); a record that matches none never reaches the function
    batch_window_s          how long Lambda gathers records for a batch; one batch is one S3 object
    parallelization_factor  batches of one shard processed at once; changes to one item stay in order
    retries                 -1: until max_record_age_s
    max_record_age_s        then the batch's position goes to the failure queue. The stream forgets after 24 h, so
                            what is left of those is the time to read the records back.
    iterator_age_alarm_s    how far behind the stream may fall before the alarm rings
  EOT

  type = map(object({
    policy  = optional(string)
    package = optional(string)

    table = optional(object({
      name          = optional(string)
      hash_key      = string
      range_key     = optional(string)
      key_types     = optional(map(string), {}) # S unless said otherwise: N or B
      ttl_attribute = optional(string)
    }))
    stream_arn     = optional(string)
    source_key_arn = optional(string)

    filters                = optional(list(string), [])
    batch_size             = optional(number, 1000)
    batch_window_s         = optional(number, 5)
    parallelization_factor = optional(number, 1)
    retries                = optional(number, -1)
    max_record_age_s       = optional(number, 43200)
    bisect                 = optional(bool, true)

    memory_mb            = optional(number, 1024)
    timeout_s            = optional(number, 60)
    reserved_concurrency = optional(number, -1)
    iterator_age_alarm_s = optional(number, 900)
  }))

  default = {
    payments = {
      table = { hash_key = "payment_id", ttl_attribute = "expires_at" }
    }
  }

  validation {
    condition     = length(var.streams) > 0
    error_message = "streams is empty: name at least one stream to guard."
  }

  validation {
    condition     = alltrue([for name in keys(var.streams) : can(regex("^[a-z][a-z0-9-]{1,27}$", name))])
    error_message = "A stream's name must be 2 to 28 lower-case letters, digits or hyphens, beginning with a letter."
  }

  validation {
    condition     = length(setintersection(keys(var.streams), ["access", "detokenize", "erase", "ledger", "profiles", "subjects"])) == 0
    error_message = "A stream cannot be named access, detokenize, erase, ledger, profiles or subjects: the gate has a package, a function or a table of that name."
  }

  validation {
    condition     = alltrue([for s in var.streams : (s.table == null) != (s.stream_arn == null)])
    error_message = "Each stream needs either table (create one) or stream_arn (guard an existing one), and not both."
  }

  validation {
    condition = alltrue([
      for s in var.streams : s.stream_arn == null || can(regex("^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[^/]+/stream/.+$", s.stream_arn))
    ])
    error_message = "stream_arn must be the ARN of a DynamoDB stream (arn:aws:dynamodb:…:table/<name>/stream/<label>), not of its table."
  }

  validation {
    condition     = alltrue(flatten([for s in var.streams : [for t in values(try(s.table.key_types, {})) : contains(["S", "N", "B"], t)]]))
    error_message = "table.key_types gives S, N or B for a key attribute."
  }

  validation {
    condition = alltrue([
      for name, s in var.streams : fileexists("${path.root}/${var.policies_folder}/${coalesce(s.policy, name)}.yaml")
    ])
    error_message = "A stream's policy was not found: there must be policies/<policy>.yaml, named after the stream unless `policy` says otherwise."
  }

  validation {
    condition = alltrue([
      for name, s in var.streams : fileexists("${path.root}/${coalesce(s.package, "../.build/${name}.zip")}")
    ])
    error_message = "A stream's package was not found: build it with `make package`, or give its path as `package`."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.batch_size >= 1 && s.batch_size <= 10000])
    error_message = "batch_size must be 1 to 10000 records."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.batch_window_s >= 0 && s.batch_window_s <= 300])
    error_message = "batch_window_s must be 0 to 300 seconds."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.parallelization_factor >= 1 && s.parallelization_factor <= 10])
    error_message = "parallelization_factor must be 1 to 10."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.retries >= -1 && s.retries <= 10000])
    error_message = "retries must be -1 (until the record is too old) to 10000."
  }

  validation {
    # Shorter than a day, always: a record that the stream has trimmed reaches no failure queue, it is just gone.
    condition     = alltrue([for s in var.streams : s.max_record_age_s >= 60 && s.max_record_age_s < 86400])
    error_message = "max_record_age_s must be 60 to 86399: the stream itself forgets after a day."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.memory_mb >= 512 && s.memory_mb <= 10240])
    error_message = "memory_mb must be 512 to 10240: 6 MB of deeply nested records alone take 350."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.timeout_s >= 1 && s.timeout_s <= 900])
    error_message = "timeout_s must be 1 to 900 seconds."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.reserved_concurrency == -1 || s.reserved_concurrency >= 1])
    error_message = "reserved_concurrency must be -1 (none reserved) or at least 1: 0 would stop the stream."
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

variable "key_deletion_window_days" {
  type        = number
  description = "How long a deleted key can still be brought back."
  default     = 30

  validation {
    condition     = var.key_deletion_window_days >= 7 && var.key_deletion_window_days <= 30
    error_message = "key_deletion_window_days must be 7 to 30."
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
