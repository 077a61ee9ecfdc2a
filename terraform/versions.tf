terraform {
  required_version = ">= 1.10, < 2.0" # 1.10: locks of the S3 backend without a table

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100" # the line that the tests run against
    }
  }

  # The rest stands in environments/<env>.backend.hcl.
  backend "s3" {}
}
