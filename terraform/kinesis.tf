# Kinesis data streams that DynamoDB puts the changes of a table into: for streams with the source kinesis, and beside the
# table's own stream where that is prepared. DynamoDB writes under a role of its own that comes with the first destination.

resource "aws_kinesis_stream" "source" {
  for_each = local.kinesis.made

  name             = local.streams[each.key].name
  retention_period = each.value.retention_hours
  encryption_type  = "KMS"
  kms_key_id       = aws_kms_key.data.arn

  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}

# In microseconds, because nothing else says in which order changes of an item were made.
resource "aws_dynamodb_kinesis_streaming_destination" "source" {
  for_each = local.kinesis.made

  table_name                               = aws_dynamodb_table.source[each.key].name
  stream_arn                               = aws_kinesis_stream.source[each.key].arn
  approximate_creation_date_time_precision = "MICROSECOND"
}

locals {
  # Values rather than references, as in access.tf.
  source_tables = {
    for name, stream in local.streams : name =>
    stream.table != null ? "arn:${data.aws_partition.current.partition}:dynamodb:${var.region}:${local.account}:table/${coalesce(stream.table.name, stream.name)}" :
    stream.source == "kinesis" ? stream.source_table_arn : split("/stream/", stream.stream_arn)[0]
  }

  # Those that are read, and those that could be.
  data_streams = {
    for name, stream in local.streams : name =>
    stream.table == null ? stream.stream_arn : "arn:${data.aws_partition.current.partition}:kinesis:${var.region}:${local.account}:stream/${stream.name}"
    if stream.source == "kinesis" || stream.kinesis != null
  }

  kinesis = {
    arns = distinct(values(local.data_streams))

    # Those that are made here, with what is said about each, or what goes without saying.
    made = {
      for name in keys(local.data_streams) : name => { retention_hours = try(local.streams[name].kinesis.retention_hours, 24) }
      if local.streams[name].table != null
    }

    # For conditions on who asks KMS: nothing where there is no such stream.
    services = length(local.data_streams) == 0 ? [] : ["kinesis"]
  }
}
