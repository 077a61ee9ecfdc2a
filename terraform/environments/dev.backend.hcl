# Where the state of dev is kept. Bucket names are global, so this one must become yours: private, versioned and in the
# development account. Terraform does not make it, because it has to be there first.
bucket       = "example-tidegate-dev-state"
key          = "tidegate.tfstate"
region       = "eu-west-1"
encrypt      = true
use_lockfile = true
