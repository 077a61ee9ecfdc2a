# The streams to guard. The rest that an environment decides is in variables.tf.

variable "streams" {
  description = <<-EOT
    The streams to guard, by name. For each, either `table` (create the source table) or `stream_arn` (guard a
    table that exists: its stream must show NEW_AND_OLD_IMAGES, and nothing of the table is touched).

    policy                  policies/<policy>.yaml; the stream's own name when null
    package                 the zip made by `make package`, relative to this folder; ../.build/<policy>.zip when null
    table.name              tidegate-<env>-<stream> when null
    table.ttl_attribute     items past this epoch second are removed, and leave the stream as expired
    stream_arn              of an existing table: its latest stream, in this region; with the source kinesis, the Kinesis
                            data stream that somebody has DynamoDB put its changes into
    source                  dynamodb: the table's own stream; kinesis: Kinesis Data Streams for DynamoDB, where the order is
                            not kept and a change may come twice (docs/kinesis.md)
    source_table_arn        with the source kinesis and stream_arn: the table whose changes come that way
    kinesis                 of a data stream that is made here, beside a table that is: retention_hours, 24 to 8760. With the
                            source dynamodb it is filled and nobody reads it, so that one can switch to it
    kinesis.start_at        where reading begins (RFC 3339), if not at the oldest record
    source_key_arn          the KMS key of an existing table or data stream that has one of its own
    filters                 event filter patterns (JSON), of a record in DynamoDB's form whichever the source; one that matches none never reaches the function
    batch_window_s          how long Lambda gathers records for a batch; one batch is one S3 object
    parallelization_factor  batches of one shard processed at once; changes to one item stay in order
    retries                 -1: until max_record_age_s
    max_record_age_s        then the batch's position goes to the failure queue. The stream forgets after 24 h, so
                            what is left of those is the time to read the records back.
    reserved_concurrency    runs kept for this stream, and the most it can have: shards × parallelization_factor are needed;
                            -1 for neither
    provisioned_concurrency runs kept warm, where even the first batch after a pause must not wait for a start; 0: none.
                            SnapStart is no choice: a snapshot of a started function would hold token keys on disk.
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
    stream_arn       = optional(string)
    source_key_arn   = optional(string)
    source           = optional(string, "dynamodb")
    source_table_arn = optional(string)

    kinesis = optional(object({
      retention_hours = optional(number, 24)
      start_at        = optional(string)
    }))

    filters                = optional(list(string), [])
    batch_size             = optional(number, 1000)
    batch_window_s         = optional(number, 5)
    parallelization_factor = optional(number, 1)
    retries                = optional(number, -1)
    max_record_age_s       = optional(number, 43200)
    bisect                 = optional(bool, true)

    memory_mb               = optional(number, 1024)
    timeout_s               = optional(number, 60)
    reserved_concurrency    = optional(number, -1)
    provisioned_concurrency = optional(number, 0)
    iterator_age_alarm_s    = optional(number, 900)
  }))

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
    condition     = alltrue([for s in var.streams : contains(["dynamodb", "kinesis"], s.source)])
    error_message = "source must be dynamodb (the table's own stream) or kinesis (Kinesis Data Streams for DynamoDB)."
  }

  validation {
    condition = alltrue([
      for s in var.streams : s.source != "kinesis" || s.stream_arn == null || can(regex("^arn:[a-z-]+:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]{1,128}$", s.stream_arn))
    ])
    error_message = "With the source kinesis, stream_arn must be the ARN of a Kinesis data stream (arn:aws:kinesis:…:stream/<name>)."
  }

  validation {
    condition     = alltrue([for s in var.streams : (s.source_table_arn != null) == (s.source == "kinesis" && s.stream_arn != null)])
    error_message = "source_table_arn goes with the source kinesis and stream_arn, and they with it: a Kinesis data stream does not say whose changes it carries."
  }

  validation {
    condition = alltrue([
      for s in var.streams : s.source_table_arn == null || can(regex("^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}$", s.source_table_arn))
    ])
    error_message = "source_table_arn must be the ARN of a table (arn:aws:dynamodb:…:table/<name>)."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.kinesis == null || s.table != null || s.source == "kinesis"])
    error_message = "kinesis goes with table: of a table that exists, its owner has DynamoDB put the changes into a data stream, and stream_arn names that."
  }

  validation {
    condition = alltrue([
      for s in var.streams : try(s.kinesis.retention_hours, 24) >= 24 && try(s.kinesis.retention_hours, 24) <= 8760 && try(floor(s.kinesis.retention_hours) == s.kinesis.retention_hours, true)
    ])
    error_message = "kinesis.retention_hours must be a whole number from 24 (a day) to 8760 (a year)."
  }

  validation {
    condition     = alltrue([for s in var.streams : try(s.kinesis.start_at, null) == null || (s.source == "kinesis" && can(timeadd(s.kinesis.start_at, "0s")))])
    error_message = "kinesis.start_at must be a moment such as 2026-11-23T21:00:00Z, and goes with the source kinesis: a DynamoDB stream is read from its oldest record."
  }

  validation {
    condition = alltrue([
      for s in var.streams : s.source != "dynamodb" || s.stream_arn == null || can(regex("^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[^/]+/stream/.+$", s.stream_arn))
    ])
    error_message = "stream_arn must be the ARN of a DynamoDB stream (arn:aws:dynamodb:…:table/<name>/stream/<label>), not of its table."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.stream_arn == null || try(split(":", s.stream_arn)[3], "") == var.region])
    error_message = "A stream_arn is of another region: a function reads the streams of its own region only. Make an environment in the region of the table."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.source_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", s.source_key_arn))])
    error_message = "source_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/<id>): permissions do not go by its alias."
  }

  validation {
    condition     = alltrue([for s in var.streams : s.source_key_arn == null || s.stream_arn != null])
    error_message = "source_key_arn goes with stream_arn: a table that is made here has the data key."
  }

  validation {
    condition     = length(distinct([for name, s in var.streams : coalesce(s.table.name, name) if s.table != null])) == length([for s in var.streams : s if s.table != null])
    error_message = "Two streams make a table of one name. To let two policies read one table, let one stream make it and give its stream_arn in the other."
  }

  validation {
    condition     = alltrue([for s in var.streams : can(regex("^[A-Za-z0-9_.-]{3,255}$", coalesce(try(s.table.name, null), "tidegate")))])
    error_message = "table.name must be 3 to 255 letters, digits, hyphens, underscores or dots."
  }

  validation {
    condition = alltrue(flatten([
      for s in var.streams : [for name in keys(try(s.table.key_types, {})) : contains(compact([s.table.hash_key, s.table.range_key]), name)]
    ]))
    error_message = "table.key_types names an attribute that is neither hash_key nor range_key: DynamoDB takes types of key attributes only."
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
      for name, s in var.streams : fileexists("${path.root}/${coalesce(s.package, "../.build/${coalesce(s.policy, name)}.zip")}")
    ])
    error_message = "A stream's package was not found: build it with `make package`, or give its path as `package`."
  }

  validation {
    condition     = alltrue(flatten([for s in var.streams : [for pattern in s.filters : can(keys(jsondecode(pattern)))]]))
    error_message = "filters must be event filter patterns: JSON objects, as jsonencode makes them."
  }

  validation {
    condition     = alltrue([for s in var.streams : length(s.filters) <= 5])
    error_message = "filters can be 5 at most: a record passes when it matches any of them."
  }

  validation {
    condition = alltrue(flatten([
      for s in var.streams : [for count in [
        s.batch_size, s.batch_window_s, s.parallelization_factor, s.retries, s.max_record_age_s, s.memory_mb, s.timeout_s,
        s.reserved_concurrency, s.provisioned_concurrency, s.iterator_age_alarm_s,
      ] : floor(count) == count]
    ]))
    error_message = "The numbers of a stream must be whole."
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
  validation {
    condition = alltrue([
      for s in var.streams : s.provisioned_concurrency >= 0 && (s.reserved_concurrency == -1 || s.provisioned_concurrency <= s.reserved_concurrency)
    ])
    error_message = "provisioned_concurrency must be 0 (none) or more, and no more than what is reserved."
  }

  validation {
    # Later it would ring for records that are in the failure queue already.
    condition     = alltrue([for s in var.streams : s.iterator_age_alarm_s >= 60 && s.iterator_age_alarm_s < s.max_record_age_s])
    error_message = "iterator_age_alarm_s must be 60 or more, and less than max_record_age_s: there must be time to act before records are given up."
  }
}

variable "canary" {
  description = <<-EOT
    While a new version is tried on a part of the stream, by stream; `tidegate release` sets it for one apply, and the next one
    without it sends everything to the newest version. One role serves both versions, so that it keeps what the older one reaches.

    stable   the version in force, which the rest of the batches go to
    percent  how many of 100 batches go to the version that this apply publishes
    release  file with what the version in force holds, for the output `deployed`
    reach    what the version in force reaches, of alerts, erase, profiles and subjects
  EOT

  type = map(object({
    stable  = string
    percent = number
    release = optional(string)
    reach   = optional(set(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.canary) : contains(keys(var.streams), name)])
    error_message = "canary names a stream that streams does not have."
  }

  validation {
    condition     = alltrue([for c in var.canary : can(regex("^[1-9][0-9]*$", c.stable))])
    error_message = "canary.stable must be the number of a published version, as \"12\"."
  }

  validation {
    condition     = alltrue([for c in var.canary : try(fileexists(c.release), c.release == null)])
    error_message = "canary.release names a file that is not there."
  }

  validation {
    condition     = alltrue([for c in var.canary : c.percent >= 1 && c.percent <= 99 && floor(c.percent) == c.percent])
    error_message = "canary.percent must be a whole number from 1 to 99. For all of it at once, leave canary out."
  }

  validation {
    condition     = alltrue(flatten([for c in var.canary : [for name in c.reach : contains(["alerts", "erase", "profiles", "subjects"], name)]]))
    error_message = "canary.reach takes alerts, erase, profiles and subjects."
  }
}
