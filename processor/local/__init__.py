"""The embedded AWS: what the demo and the end-to-end tests run the gate on. Never in the Lambda package."""
