# The masking policies, read from the same YAML that is compiled into the packages.
# `tidegate policy check` holds it to the subset of YAML on which both readers agree.

locals {
  prefix  = "tidegate-${var.environment}"
  account = data.aws_caller_identity.current.account_id

  streams = {
    for name, stream in var.streams : name => merge(stream, {
      name    = "${local.prefix}-${name}"
      policy  = coalesce(stream.policy, name)
      package = "${path.root}/${coalesce(stream.package, "../.build/${coalesce(stream.policy, name)}.zip")}"
    })
  }

  # By convention, not by reference: the key policies name roles and logs, and the roles' policies the keys.
  functions = merge({ for name, stream in local.streams : name => stream.name }, local.access, local.backfills)
  role_arns = {
    for name, function in local.functions :
    name => "arn:${data.aws_partition.current.partition}:iam::${local.account}:role/${function}"
  }
  function_arns = {
    for name, function in local.functions :
    name => "arn:${data.aws_partition.current.partition}:lambda:${var.region}:${local.account}:function:${function}"
  }
  log_arns = {
    for name, function in local.functions :
    name => "arn:${data.aws_partition.current.partition}:logs:${var.region}:${local.account}:log-group:/aws/lambda/${function}"
  }
  stream_role_arns = [for name in keys(local.streams) : local.role_arns[name]]

  policies = {
    for name in toset([for stream in local.streams : stream.policy]) :
    name => yamldecode(file("${path.root}/${var.policies_folder}/${name}.yaml"))
  }
  retention_days = { for name, policy in local.policies : name => policy.retention_days }

  # Of all policies that have a file, in use or not: what a stream has left behind goes on expiring when the stream is gone.
  expiry_days = {
    for file in fileset("${path.root}/${var.policies_folder}", "*.yaml") :
    trimsuffix(file, ".yaml") => yamldecode(file("${path.root}/${var.policies_folder}/${file}")).retention_days
    if !endswith(file, ".examples.yaml")
  }

  regions = sort(coalesce(var.data_residency, [var.region]))

  # Whether some rule goes by the person. A field has a rule or a list of them, and a rule without options is a text.
  by_subject = {
    for name, policy in local.policies : name => anytrue([
      for rule in flatten(values(policy.fields)) :
      try(rule.scope, "") == "subject" || try(rule.action, rule) == "shift_dates" # which always does
    ])
  }

  # Each release in a few words, and the share of events that its model flags.
  release_names = {
    for name, release in local.releases : name =>
    release == null ? "Release not known" : "Version ${release.policy.version}, model ${try(release.model.id, "none")}"
  }
  flag_rates = {
    for name, stream in local.streams : name => try(
      local.releases[name].model.figures.alert_rate,
      1 - tonumber(regex("^p([0-9.]+)$", local.policies[stream.policy].score.flag_at)[0]) / 100,
      null,
    )
  }
}
