# --- Source tables, for streams that do not guard an existing one ------------------------------------

resource "aws_dynamodb_table" "source" {
  for_each = {
    for name, stream in local.streams :
    name => merge(stream.table, { name = coalesce(stream.table.name, stream.name) }) if stream.table != null
  }

  name                        = each.value.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash_key
  range_key                   = each.value.range_key
  stream_enabled              = true
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = compact([each.value.hash_key, each.value.range_key])

    content {
      name = attribute.value
      type = lookup(each.value.key_types, attribute.value, "S")
    }
  }

  dynamic "ttl" {
    for_each = compact([each.value.ttl_attribute])

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.data.arn
  }
}

# --- Existing tables, looked at and left alone -------------------------------------------------------

data "aws_dynamodb_table" "existing" {
  for_each = { for name, stream in local.streams : name => split("/", stream.stream_arn)[1] if stream.table == null && stream.source == "dynamodb" }

  name = each.value

  lifecycle {
    postcondition {
      condition     = self.stream_view_type == "NEW_AND_OLD_IMAGES"
      error_message = "Stream ${each.key}: the table ${each.value} must have a stream that shows NEW_AND_OLD_IMAGES, or there is nothing to sanitise. Switch it on: aws dynamodb update-table --table-name ${each.value} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
    }
  }
}

# Only said and not refused: what the earlier stream still holds has to be read first, for a day at most.
check "streams_are_the_latest" {
  assert {
    condition = alltrue([for name, table in data.aws_dynamodb_table.existing : table.stream_arn == local.streams[name].stream_arn])
    error_message = join(" ", [
      for name, table in data.aws_dynamodb_table.existing :
      "Stream ${name}: the table ${table.name} has another stream by now, and nothing new comes from the one in stream_arn. Once that is read to its end, write ${coalesce(table.stream_arn, "the new one")}."
      if table.stream_arn != local.streams[name].stream_arn
    ])
  }
}

# --- Ledger: which record went into which object -----------------------------------------------------

resource "aws_dynamodb_table" "ledger" {
  name                        = "${local.prefix}-ledger"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "stream"
  range_key                   = "intent"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "stream"
    type = "S"
  }
  attribute {
    name = "intent"
    type = "S"
  }

  # The function writes the time from the policy's retention_days.ledger.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.data.arn
  }
}

# --- Profiles: what models know of customers, terminals and the like ---------------------------------

# Totals under pseudonyms. Without it flags are worse for some weeks, and nothing is lost: so no recovery, which would
# keep what is known of a person beyond its time.
resource "aws_dynamodb_table" "profiles" {
  #checkov:skip=CKV_AWS_28:see above
  name                        = "${local.prefix}-profiles"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "entity"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "entity" # a pseudonym
    type = "S"
  }

  # The function writes when an idle entity's totals have faded.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.data.arn
  }
}

# --- Subjects: a secret of each person, while there is one -------------------------------------------

# To erase somebody is to destroy the secret here. A copy of the table that can be restored holds it still, so the
# recovery period is how long an erasure takes to be final: see the variable. Two copies are made outside of it. AWS keeps
# a last one for 35 days when a table with recovery is deleted, and a backup on demand stays until somebody deletes it:
# leave this table out of backup plans.
resource "aws_dynamodb_table" "subjects" {
  name                        = "${local.prefix}-subjects"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "subject"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "subject" # a pseudonym: the table names nobody
    type = "S"
  }

  # No TTL: a tombstone that expired would let the person come back.

  point_in_time_recovery {
    enabled                 = var.subjects_recovery_days > 0
    recovery_period_in_days = var.subjects_recovery_days > 0 ? var.subjects_recovery_days : null
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.data.arn
  }
}
