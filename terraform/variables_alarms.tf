# Who is told, and what they are told to read. `alarm_topic_arns` is in variables.tf.

variable "notices_topic_arns" {
  type        = set(string)
  description = "SNS topics told of alarms that can wait for working hours; null: alarm_topic_arns, as of all others. docs/runbook.md says which is which."
  default     = null

  validation {
    condition     = alltrue([for arn in coalesce(var.notices_topic_arns, []) : can(regex("^arn:[a-z-]+:sns:${var.region}:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", arn))])
    error_message = "notices_topic_arns must be ARNs of SNS topics in the region of the environment (arn:aws:sns:<region>:<account>:<name>): CloudWatch tells no others. A FIFO topic cannot be told."
  }
}

variable "runbook_url" {
  type        = string
  description = "Where whoever is told of an alarm reads docs/runbook.md; alarms and dashboard link to its sections. A path is one in this repository."
  default     = "docs/runbook.md"

  validation {
    condition     = var.runbook_url == "docs/runbook.md" || can(regex("^https://[A-Za-z0-9.-]+(:[0-9]+)?/[^ #\"<>]*$", var.runbook_url))
    error_message = "runbook_url must be the page's address (https://…/docs/runbook.md), without a part after #: each alarm adds the one of its section."
  }
}

variable "log_data_protection" {
  type        = bool
  description = "Whether CloudWatch masks what it recognises as personal data in the logs, and an alarm rings for it. Off only where the region or the emulator has no such thing."
  default     = true
}

locals {
  notices_topic_arns = coalesce(var.notices_topic_arns, var.alarm_topic_arns)
}
