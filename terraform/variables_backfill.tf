# What was in a table before its stream was gated.

variable "backfills" {
  description = <<-EOT
    The streams whose tables can be brought through the gate as a whole, by name of the stream: see docs/backfill.md. Its table needs point-in-time
    recovery. What this makes costs next to nothing while nothing is brought through, and while it is left out nobody can.

    files_at_once        data files of the export that are worked on at the same time
    reserved_concurrency runs kept for it, which is also the most there can be; -1 for neither
    memory_mb            of the function; processor power follows it
  EOT

  type = map(object({
    files_at_once        = optional(number, 5)
    reserved_concurrency = optional(number, -1)
    memory_mb            = optional(number, 1769)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.backfills) : contains(keys(var.streams), name)])
    error_message = "backfills names a stream that streams does not have."
  }

  validation {
    condition     = alltrue([for name in keys(var.backfills) : length(name) <= 19 && !contains(keys(var.streams), "${name}-backfill")])
    error_message = "A stream with a backfill needs a name of 19 characters at most, and no other stream may be named <name>-backfill: its function is called that."
  }

  validation {
    condition     = alltrue([for b in var.backfills : b.files_at_once >= 1 && b.files_at_once <= 100 && floor(b.files_at_once) == b.files_at_once])
    error_message = "files_at_once must be a whole number from 1 to 100."
  }

  validation {
    condition     = alltrue([for b in var.backfills : b.reserved_concurrency == -1 || (b.reserved_concurrency >= 1 && floor(b.reserved_concurrency) == b.reserved_concurrency)])
    error_message = "reserved_concurrency must be -1 (none reserved) or a whole number from 1."
  }

  validation {
    condition     = alltrue([for b in var.backfills : b.memory_mb >= 512 && b.memory_mb <= 10240 && floor(b.memory_mb) == b.memory_mb])
    error_message = "memory_mb must be a whole number from 512 to 10240."
  }
}

variable "exports_days" {
  type        = number
  description = "How long exports of tables are kept, days. They hold raw records: as short as a backfill may take, and shorter than the ledger remembers."
  default     = 3

  validation {
    condition     = var.exports_days >= 1 && var.exports_days <= 30 && floor(var.exports_days) == var.exports_days
    error_message = "exports_days must be a whole number from 1 to 30."
  }
}
