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
    condition     = alltrue([for s in var.streams : s.memory_mb >= 128 && s.memory_mb <= 10240])
    error_message = "memory_mb must be 128 to 10240."
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
  type        = set(number)
  description = "Versions of the token key. Rotate by adding the next number: the highest makes tokens, all open them. Removing one kills its tokens."
  default     = [1]

  validation {
    condition     = length(var.token_key_versions) > 0
    error_message = "token_key_versions is empty: the gate needs at least one token key."
  }

  validation {
    condition     = alltrue([for v in var.token_key_versions : v >= 1 && floor(v) == v])
    error_message = "token_key_versions must be whole numbers from 1."
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
