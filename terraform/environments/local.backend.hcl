# The bucket is made by whoever starts the embedded AWS, which AWS_ENDPOINT_URL points to.
bucket       = "tidegate-local-state"
key          = "tidegate.tfstate"
region       = "eu-west-1"
encrypt      = true
use_lockfile = true

use_path_style              = true
skip_credentials_validation = true
skip_metadata_api_check     = true
skip_requesting_account_id  = true
