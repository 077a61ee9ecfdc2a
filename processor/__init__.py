"""Tidegate: a gate on a DynamoDB stream that lets only sanitised, fraud-scored events through."""
