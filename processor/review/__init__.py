"""What a person sees of a policy before it ships. Not part of the Lambda package."""
