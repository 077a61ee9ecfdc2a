# What detokenize and erase, the two functions on people, have in common. All streams share them.

locals {
  access          = { for power in ["detokenize", "erase"] : power => "${local.prefix}-${power}" }
  access_log_days = max([for days in values(local.retention_days) : days.logs]...)

  # What they reach. The documents of their roles go by these values: were they to refer to the resources, Terraform would
  # put off reading them whenever one of those changes, and show both roles as changed as well.
  reach = {
    audit      = aws_s3_bucket.this["audit"].arn
    ledger     = aws_dynamodb_table.ledger.arn
    subjects   = aws_dynamodb_table.subjects.arn
    data_key   = aws_kms_key.data.arn
    receipts   = aws_kms_key.receipts.arn
    token_keys = [for key in aws_kms_key.token : key.arn]
  }
}
