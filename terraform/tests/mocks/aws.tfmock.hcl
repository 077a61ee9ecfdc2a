# What AWS would answer, as far as another resource is built from it. The policy documents' JSON is never looked at: the
# tests read the statements themselves.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}

mock_data "aws_cloudwatch_log_data_protection_policy_document" {
  defaults = { json = "{}" }
}

# The table that the tests call existing: loans.
mock_data "aws_dynamodb_table" {
  defaults = {
    stream_arn       = "arn:aws:dynamodb:eu-west-1:123456789012:table/loans/stream/2026-01-01T00:00:00.000"
    stream_view_type = "NEW_AND_OLD_IMAGES"
  }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/tidegate-test-cards" }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn        = "arn:aws:dynamodb:eu-west-1:123456789012:table/tidegate-test-cards"
    stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/tidegate-test-cards/stream/2026-01-01T00:00:00.000"
  }
}

mock_resource "aws_kinesis_stream" {
  defaults = { arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/tidegate-test-cards" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::a-bucket" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:tidegate-test-alerts" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:tidegate-test-cards-failures" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/tidegate-test-cards" }
}

mock_resource "aws_lambda_function" {
  defaults = { version = "7" }
}

mock_resource "aws_lambda_alias" {
  defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-test-cards:live" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::123456789012:policy/tidegate-test-caller" }
}
