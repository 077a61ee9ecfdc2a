# Where the state of prod is kept. Bucket names are global, so this one must become yours: private, versioned and in the
# production account. Terraform does not make it, because it has to be there first.
bucket       = "example-tidegate-prod-state"
key          = "tidegate.tfstate"
region       = "eu-west-1"
encrypt      = true
use_lockfile = true
