# The masking policies, read from the same YAML that is compiled into the packages.
# `tidegate policy check` holds it to the subset of YAML on which both readers agree.

locals {
  prefix  = "tidegate-${var.environment}"
  account = data.aws_caller_identity.current.account_id

  streams = {
    for name, stream in var.streams : name => merge(stream, {
      name    = "${local.prefix}-${name}"
      policy  = coalesce(stream.policy, name)
      package = "${path.root}/${coalesce(stream.package, "../.build/${name}.zip")}"
    })
  }

  # By convention, not by reference: the key policies name the roles, and the roles' policies the keys.
  role_arns = [
    for stream in local.streams : "arn:${data.aws_partition.current.partition}:iam::${local.account}:role/${stream.name}"
  ]

  policies = {
    for name in toset([for stream in local.streams : stream.policy]) :
    name => yamldecode(file("${path.root}/${var.policies_folder}/${name}.yaml"))
  }
  retention_days = { for name, policy in local.policies : name => policy.retention_days }
}
