# The last net under the logs. Nothing that our code says can hold a value of a record; what Lambda or a library says might.
# CloudWatch masks what it recognises as it comes in, shows it to nobody without `logs:Unmask`, and counts it.

locals {
  # By whom they are of. Of a backfill's state machine as well.
  log_groups = var.log_data_protection ? merge(
    { for function in values(local.functions) : function => "/aws/lambda/${function}" },
    { for function in values(local.backfills) : "${function}-runs" => "/aws/vendedlogs/states/${function}" },
  ) : {}

  # Neither names nor IP addresses: those that are found need no word beside them, and are often no person's.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL-managed-data-identifiers.html
  log_identifiers = concat(
    ["Address", "AwsSecretKey", "CreditCardNumber", "CreditCardSecurityCode", "DateOfBirth", "EmailAddress", "Ssn-ES", "Ssn-US"],
    [for country in ["DE", "ES", "FR", "GB", "IT", "US"] : "BankAccountNumber-${country}"], # IBANs, but for the last
    [for country in ["CA", "DE", "ES", "FR", "GB", "IT", "US"] : "PassportNumber-${country}"],
    [for country in ["BR", "DE", "ES", "FR", "GB", "IT", "US"] : "PhoneNumber-${country}"],
  )
  log_identifier_arns = [for name in local.log_identifiers : "arn:${data.aws_partition.current.partition}:dataprotection::aws:data-identifier/${name}"]
}

resource "aws_cloudwatch_log_data_protection_policy" "this" {
  for_each = local.log_groups

  log_group_name  = each.value
  policy_document = data.aws_cloudwatch_log_data_protection_policy_document.this.json

  depends_on = [module.access, module.backfill, module.stream] # the log groups are there
}

data "aws_cloudwatch_log_data_protection_policy_document" "this" {
  name        = local.prefix
  description = "Mask personal data that no log should hold, and count it"

  statement {
    sid              = "Audit"
    data_identifiers = local.log_identifier_arns

    operation {
      audit {
        findings_destination {} # a report would be another place to protect; the count is enough to look
      }
    }
  }

  statement {
    sid              = "Mask"
    data_identifiers = local.log_identifier_arns

    operation {
      deidentify {
        mask_config {}
      }
    }
  }
}

# As a query, because the metric has the policy's name among its dimensions at times and at others not.
resource "aws_cloudwatch_metric_alarm" "log_findings" {
  for_each = local.log_groups

  alarm_name          = "${each.key}-log-findings"
  alarm_description   = "CloudWatch has recognised and masked personal data in the log ${each.value}, where none should be. ${var.runbook_url}#log-findings"
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns

  metric_query {
    id          = "findings"
    expression  = "SELECT SUM(LogEventsWithFindings) FROM \"AWS/Logs\" WHERE LogGroupName = '${each.value}'"
    label       = "Lines of the log with personal data in them"
    period      = 300
    return_data = true
  }
}
