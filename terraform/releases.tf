# What the package of each stream brings: its policy, and its model with the figures. `make package` writes it beside the
# zip, which Terraform cannot look into. Kept in the state, it lets the next plan say what changes by name and figures,
# without asking AWS.

locals {
  # One that stands beside another zip than its own says nothing of that zip.
  releases = {
    for name, stream in local.streams : name => try([
      for release in [jsondecode(file(replace(stream.package, "/\\.zip$/", ".release.json")))] :
      release if release.package.sha256 == filesha256(stream.package)
    ][0], null)
  }

  # While a canary runs, what is in force is what the other version has: `tidegate release` knows it from the state and hands it on.
  in_force = {
    for name, release in local.releases : name =>
    jsondecode(try(file(var.canary[name].release), jsonencode(release))) # as texts: they need not be of one type
  }
}

# Says that a release is in force. An output that is known when planning goes into the state even if the apply fails
# halfway; one that hangs on this does not, because this comes last.
resource "terraform_data" "released" {
  for_each = local.in_force
  input    = try(each.value.package.sha256, null)

  depends_on = [module.stream]
}
