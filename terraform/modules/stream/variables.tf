variable "name" {
  type        = string
  description = "Name of the function, its role, queue and alarms: tidegate-<env>-<stream>."
}

variable "policy" {
  type        = string
  description = "Name of the masking policy: the folder it may write to in each bucket."
}

variable "boundary" {
  type        = string
  description = "ARN of the permissions boundary: the most the role may do, whatever it says."
}

# --- What it reads -----------------------------------------------------------------------------------

variable "stream_arn" {
  type        = string
  description = "ARN of the DynamoDB stream, or of the Kinesis data stream that DynamoDB puts the table's changes into."
}

variable "kinesis" {
  type        = object({ table_arn = string, start_at = optional(string) })
  description = "For a Kinesis data stream: ARN of the table whose changes it carries, and from when on they are read (RFC 3339; null: from the oldest on). null for a DynamoDB stream."
  default     = null
}

variable "source_key_arn" {
  type        = string
  description = "KMS key of the source table, or of the Kinesis data stream; null for one that AWS owns."
  default     = null
}

variable "filters" {
  type        = list(string)
  description = "Event filter patterns, JSON, as for a record of a DynamoDB stream whichever it is; none lets every record through."
  default     = []
}

variable "batch_size" {
  type        = number
  description = "Most records in one batch."
}

variable "batch_window_s" {
  type        = number
  description = "Longest wait for a batch to fill, seconds."
}

variable "parallelization_factor" {
  type        = number
  description = "Batches of one shard processed at once."
}

variable "retries" {
  type        = number
  description = "Retries of a failing batch; -1 until the record is too old."
}

variable "max_record_age_s" {
  type        = number
  description = "Age at which a failing record goes to the failure queue, seconds."
}

variable "bisect" {
  type        = bool
  description = "Whether a failing batch is cut in two to find the record at fault."
}

# --- What runs ---------------------------------------------------------------------------------------

variable "package" {
  type        = string
  description = "Path of the zip; built beforehand, only hashed here."
}

variable "release" {
  type        = string
  description = "What the package holds, in a few words: it begins the description of each version."
}

variable "canary" {
  type        = object({ stable = string, percent = number, reach = set(string) })
  description = "While the newest version is tried: the version that the rest of the batches go to, how many of 100 go to the newest, and what of alerts, erase, profiles and subjects the other one reaches. null: all go to the newest."
  default     = null
}

variable "runtime" {
  type        = string
  description = "Lambda runtime."
}

variable "architecture" {
  type        = string
  description = "arm64 or x86_64."
}

variable "memory_mb" {
  type        = number
  description = "Memory of the function, MB; processor power follows it."
}

variable "timeout_s" {
  type        = number
  description = "Longest run for one batch, seconds."
}

variable "reserved_concurrency" {
  type        = number
  description = "Concurrent runs reserved, which is also the most there can be; -1 for neither."
}

variable "provisioned_concurrency" {
  type        = number
  description = "Runs kept warm; 0 for none."
}

variable "tracing" {
  type        = string
  description = "X-Ray mode: Active or PassThrough."
}

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the function's log."
}

# --- What it writes ----------------------------------------------------------------------------------

variable "buckets" {
  type        = map(object({ name = string, arn = string }))
  description = "The buckets events, audit and quarantine."
}

variable "alerts_topic_arn" {
  type        = string
  description = "Topic for flagged events."
}

variable "publishes_alerts" {
  type        = bool
  description = "Whether the policy routes anything to the topic. If not, the role may not publish."
}

variable "ledger" {
  type        = object({ name = string, arn = string })
  description = "The ledger table."
}

variable "subjects" {
  type        = object({ name = string, arn = string })
  description = "The subjects table."
}

variable "profiles" {
  type        = object({ name = string, arn = string })
  description = "The profiles table."
}

variable "scores" {
  type        = bool
  description = "Whether a model scores the records. If not, the role does not reach the profiles table, and there is no alarm on drift."
}

variable "subject_cache_s" {
  type        = number
  description = "How long the function may go on using a person's secret without asking again, seconds."
}

variable "by_subject" {
  type        = bool
  description = "Whether a rule of the policy goes by the person. If not, the role does not reach the subjects table."
}

variable "erases_removed" {
  type        = bool
  description = "Whether a removal erases the person (on_remove: erase). If not, the role may not erase."
}

variable "data_key_arn" {
  type        = string
  description = "Key that encrypts what the function writes."
}

variable "audit_key_arn" {
  type        = string
  description = "Key that encrypts the audit bucket: the function seals with it and opens nothing."
}

variable "token_key_arns" {
  type        = map(string)
  description = "Token keys by version."
}

# --- Who is told -------------------------------------------------------------------------------------

variable "iterator_age_alarm_s" {
  type        = number
  description = "How far behind the stream is too far, seconds."
}

variable "flag_rate" {
  type        = number
  description = "The share of events that the model flags by its own figures; null where nothing is scored or nobody knows."
}

variable "alarm_topic_arns" {
  type        = set(string)
  description = "Topics told when an alarm that needs a person now changes state."
}

variable "notices_topic_arns" {
  type        = set(string)
  description = "Topics told of alarms that can wait for working hours."
}

variable "runbook_url" {
  type        = string
  description = "The page with a section for each alarm."
}

# --- When it changes ---------------------------------------------------------------------------------

variable "after" {
  type        = list(string)
  description = "What has to be changed before the function is."
}
