variable "name" {
  type        = string
  description = "Name of the function, its role, the state machine and the alarms: tidegate-<env>-<stream>-backfill."
}

variable "stream" {
  type        = string
  description = "Name of the stream's function, for descriptions: tidegate-<env>-<stream>."
}

variable "policy" {
  type        = string
  description = "Name of the masking policy: the folder it may write to in each bucket."
}

variable "boundary" {
  type        = string
  description = "ARN of the permissions boundary of functions: the most the function's role may do, whatever it says."
}

# --- What it reads -----------------------------------------------------------------------------------

variable "table_arn" {
  type        = string
  description = "ARN of the table whose exports it brings through: no other's."
}

variable "exports" {
  type        = object({ name = string, arn = string })
  description = "The bucket of exports, where results go as well."
}

# --- What runs ---------------------------------------------------------------------------------------

variable "package" {
  type        = string
  description = "Path of the stream's zip; built beforehand, only hashed here."
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

variable "files_at_once" {
  type        = number
  description = "Data files that are worked on at the same time."
}

variable "reserved_concurrency" {
  type        = number
  description = "Concurrent runs reserved, which is also the most there can be; -1 for neither."
}

variable "tracing" {
  type        = string
  description = "X-Ray mode: Active or PassThrough."
}

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the logs."
}

# --- What it writes ----------------------------------------------------------------------------------

variable "buckets" {
  type        = map(object({ name = string, arn = string }))
  description = "The buckets events, audit and quarantine."
}

variable "alerts_topic_arn" {
  type        = string
  description = "Topic for flagged events, which the function is told and may not publish to: nobody is alerted of the past."
}

variable "ledger" {
  type        = object({ name = string, arn = string })
  description = "The ledger table."
}

variable "subjects" {
  type        = object({ name = string, arn = string })
  description = "The subjects table."
}

variable "profiles_table" {
  type        = string
  description = "Name of the profiles table, which the function is told and does not reach."
}

variable "subject_cache_s" {
  type        = number
  description = "How long the function may go on using a person's secret without asking again, seconds."
}

variable "by_subject" {
  type        = bool
  description = "Whether a rule of the policy goes by the person. If not, the role does not reach the subjects table."
}

variable "data_key_arn" {
  type        = string
  description = "Key that encrypts what is written and exported."
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

variable "alarm_topic_arns" {
  type        = set(string)
  description = "Topics told when an alarm changes state."
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
