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
