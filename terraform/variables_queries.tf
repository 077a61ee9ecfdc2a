# --- Queries -----------------------------------------------------------------------------------------

variable "query_scan_limit_gb" {
  type        = number
  description = "Gigabytes of events, as they are compressed in S3, that one query may read before Athena cancels it."
  default     = 100

  validation {
    condition     = var.query_scan_limit_gb >= 1 && var.query_scan_limit_gb <= 10000 && floor(var.query_scan_limit_gb) == var.query_scan_limit_gb
    error_message = "query_scan_limit_gb must be a whole number from 1 to 10000."
  }
}

variable "query_results_days" {
  type        = number
  description = "Days for which the results of queries are kept."
  default     = 7

  validation {
    condition     = var.query_results_days >= 1 && var.query_results_days <= 90 && floor(var.query_results_days) == var.query_results_days
    error_message = "query_results_days must be a whole number from 1 to 90."
  }
}
