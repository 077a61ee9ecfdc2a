variable "name" {
  type        = string
  description = "Name of the function, its role, alarms and log: tidegate-<env>-<power>."
}

variable "description" {
  type        = string
  description = "What the function does, in one line."
}

variable "role_policy" {
  type        = string
  description = "Everything the function may do, JSON."
}

# --- What runs ---------------------------------------------------------------------------------------

variable "handler" {
  type        = string
  description = "The function in the package."
}

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

variable "environment" {
  type        = map(string)
  description = "The function's environment."
}

variable "data_key_arn" {
  type        = string
  description = "Key that encrypts the log."
}

# --- Who is told -------------------------------------------------------------------------------------

variable "refused_alarm" {
  type        = number
  description = "Refused requests in five minutes above which the alarm rings."
  default     = 10
}

variable "alarm_topic_arns" {
  type        = set(string)
  description = "Topics told when an alarm changes state."
}
