# One execution brings one export through: a distributed map over the lines of its manifest-files.json, which calls the function for
# each file, and again while the file is not done.
resource "aws_sfn_state_machine" "this" {
  #checkov:skip=CKV_AWS_285:the history is logged, at all levels; without inputs and outputs, which nobody needs there
  name       = var.name
  role_arn   = aws_iam_role.runner.arn
  type       = "STANDARD"
  definition = jsonencode(local.definition)

  # What is in its input and history are names of files and counts. AWS encrypts it at rest; a key of ours would have to be opened to
  # the whole service.
  logging_configuration {
    level                  = "ALL"
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.machine.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  depends_on = [aws_iam_role_policy.runner]
}

resource "aws_cloudwatch_log_group" "machine" {
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.data_key_arn
}

locals {
  # Input: {"export", "exported_at", "keys", "manifest"}, the last being the key of manifest-files.json.
  definition = {
    Comment        = "Brings an export of the table of ${var.stream} through its gate"
    StartAt        = "EachFile"
    TimeoutSeconds = 1209600 # exports expire before

    States = {
      EachFile = {
        Type                       = "Map"
        Label                      = "file"
        MaxConcurrency             = var.files_at_once
        ToleratedFailurePercentage = 0
        ItemReader = {
          Resource     = "arn:${local.partition}:states:::s3:getObject"
          ReaderConfig = { InputType = "JSONL" }
          Parameters   = { Bucket = var.exports.name, "Key.$" = "$.manifest" }
        }
        ItemSelector = {
          "export.$"      = "$.export"
          "exported_at.$" = "$.exported_at"
          "keys.$"        = "$.keys"
          "file.$"        = "$$.Map.Item.Value"
          came            = { next = 1, counts = {} }
        }
        ItemProcessor = {
          ProcessorConfig = { Mode = "DISTRIBUTED", ExecutionType = "STANDARD" } # a call may take longer than an express one lives
          StartAt         = "Bring"
          States          = local.file_states
        }
        ResultWriter = {
          Resource   = "arn:${local.partition}:states:::s3:putObject"
          Parameters = { Bucket = var.exports.name, "Prefix.$" = "States.Format('results/{}', $.export)" }
        }
        End = true
      }
    }
  }

  file_states = {
    Bring = {
      Type     = "Task"
      Resource = "arn:${local.partition}:states:::lambda:invoke"
      Parameters = {
        FunctionName = "${local.function_arn}:live"
        Payload = {
          "export.$"      = "$.export"
          "exported_at.$" = "$.exported_at"
          "keys.$"        = "$.keys"
          "file.$"        = "$.file"
          "next.$"        = "$.came.next"
          "counts.$"      = "$.came.counts"
        }
      }
      ResultSelector = {
        "name.$"   = "$.Payload.name"
        "next.$"   = "$.Payload.next"
        "done.$"   = "$.Payload.done"
        "items.$"  = "$.Payload.items"
        "counts.$" = "$.Payload.counts"
      }
      ResultPath = "$.came"
      # A file that is altered stays so. Whatever else it is may pass, and nothing is written twice.
      Retry = [
        { ErrorEquals = ["Unreadable"], MaxAttempts = 0 },
        {
          ErrorEquals     = ["States.ALL"]
          IntervalSeconds = 5
          BackoffRate     = 2
          MaxDelaySeconds = 300
          MaxAttempts     = 8
          JitterStrategy  = "FULL"
        },
      ]
      Next = "IsDone"
    }
    IsDone = {
      Type    = "Choice"
      Choices = [{ Variable = "$.came.done", BooleanEquals = true, Next = "Done" }]
      Default = "Bring"
    }
    Done = { Type = "Succeed", OutputPath = "$.came" }
  }
}
