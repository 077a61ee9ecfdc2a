provider "aws" {
  region              = var.region
  allowed_account_ids = var.allowed_account_ids

  # An AWS embedded on loopback (AWS_ENDPOINT_URL) has neither virtual-host buckets nor an instance's
  # metadata. Nothing else in this configuration knows about it.
  s3_use_path_style           = var.embedded
  skip_credentials_validation = var.embedded
  skip_metadata_api_check     = var.embedded

  default_tags {
    tags = merge(var.tags, {
      application = "tidegate"
      environment = var.environment
    })
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
