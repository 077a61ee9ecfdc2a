terraform {
  required_version = ">= 1.10, < 2.0" # 1.10: locks of the S3 backend without a table

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100" # what the tests run against; 6 renames attributes used here
    }
  }

  # The rest stands in environments/<env>.backend.hcl.
  backend "s3" {}
}
