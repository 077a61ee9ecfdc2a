# Who releases: the power to move the alias of each stream between versions that are there, and to look at the alarms. What
# runs, and under which role, only an apply changes. Enough for `tidegate rollback`, for whoever is on call; `tidegate release`
# applies as well.

resource "aws_iam_policy" "releaser" {
  name        = "${local.prefix}-releaser"
  description = "Send the streams of ${local.prefix} to another version of their functions, and see how it does"
  policy      = data.aws_iam_policy_document.releaser.json
}

data "aws_iam_policy_document" "releaser" {
  statement {
    sid       = "FindFunctions"
    actions   = ["lambda:ListFunctions"]
    resources = ["*"] # IAM knows no resource for this action
  }

  # CreateAlias marks a version that was withdrawn, so that no rollback ends there.
  statement {
    sid = "MoveAlias"
    actions = [
      "lambda:CreateAlias", "lambda:GetAlias", "lambda:ListAliases", "lambda:ListVersionsByFunction", "lambda:UpdateAlias",
    ]
    resources = [for name in keys(local.streams) : local.function_arns[name]]
  }

  # Those on several alarms are told to whoever may see all: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
  statement {
    sid       = "SeeAlarmsAndTraffic"
    actions   = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStatistics"]
    resources = ["*"]
  }
}

output "releaser_policy_arn" {
  description = "Managed policy for who releases or is on call: all that `tidegate rollback` needs, and `tidegate release` besides its apply."
  value       = aws_iam_policy.releaser.arn
}
