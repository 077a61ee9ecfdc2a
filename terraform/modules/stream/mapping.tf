resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn = var.stream_arn
  function_name    = aws_lambda_alias.live.arn

  # LATEST would miss what is written while the mapping starts.
  starting_position           = try(var.kinesis.start_at, null) == null ? "TRIM_HORIZON" : "AT_TIMESTAMP"
  starting_position_timestamp = try(var.kinesis.start_at, null)

  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batch_window_s
  parallelization_factor             = var.parallelization_factor

  # Without this an answer naming one failed record would count as success for all.
  function_response_types        = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error = var.bisect
  maximum_retry_attempts         = var.retries
  maximum_record_age_in_seconds  = var.max_record_age_s

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.failures.arn
    }
  }

  dynamic "filter_criteria" {
    for_each = length(var.filters) > 0 ? [var.filters] : []

    content {
      dynamic "filter" {
        for_each = filter_criteria.value

        content {
          # Kinesis carries DynamoDB's record as data.
          pattern = var.kinesis == null ? filter.value : jsonencode({ data = jsondecode(filter.value) })
        }
      }
    }
  }
}
