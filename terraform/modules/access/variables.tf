variable "power" {
  type        = string
  description = "detokenize or erase: the handler that runs, and the folder and the chains of its records."
}

variable "name" {
  type        = string
  description = "Name of the function, its role, alarms and log: tidegate-<env>-<power>."
}

variable "description" {
  type        = string
  description = "What the function does, in one line."
}

variable "powers" {
  type        = string
  description = "What this function may do and the other may not, JSON."
}

variable "boundary" {
  type        = string
  description = "ARN of the permissions boundary: the most the role may do, whatever it says."
}

# --- What runs ---------------------------------------------------------------------------------------

variable "package" {
  type        = string
  description = "Path of the zip; built beforehand, only hashed here."
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
  default     = 1024
}

variable "timeout_s" {
  type        = number
  description = "Longest run for one request, seconds: longer than the tries of a call to AWS that hangs."
  default     = 60
}

variable "reserved_concurrency" {
  type        = number
  description = "Concurrent runs reserved, which is also the most there can be; -1 for neither, 0 stops it."
}

variable "tracing" {
  type        = string
  description = "X-Ray mode: Active or PassThrough."
}

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the function's log."
}

# --- What it reaches ---------------------------------------------------------------------------------

variable "audit" {
  type        = object({ name = string, arn = string })
  description = "The audit bucket."
}

variable "ledger" {
  type        = object({ name = string, arn = string })
  description = "The ledger table."
}

variable "subjects_table" {
  type        = string
  description = "Name of the subjects table. What the function may do there is one of its powers."
}

variable "data_key_arn" {
  type        = string
  description = "Key that encrypts the tables, the bucket and the log."
}

variable "audit_key_arn" {
  type        = string
  description = "Key that encrypts the audit bucket: the function seals with it and opens nothing."
}

variable "token_key_arns" {
  type        = map(string)
  description = "Token keys by version."
}

variable "environment" {
  type        = map(string)
  description = "What this function is told and the other is not."
}

# --- Who is told -------------------------------------------------------------------------------------

variable "refused_alarm" {
  type        = number
  description = "Refused requests in five minutes above which the alarm rings."
  default     = 10
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
