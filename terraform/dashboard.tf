# One dashboard, in the order in which one would ask. Below are the questions; what draws them is at the end.

locals {
  questions = [
    {
      title = "Is it keeping up? If not: the log says which call AWS refuses, or there is too much for it."
      graphs = [
        { title = "Age of the oldest record when it was through, ms", stat = "Maximum", metrics = ["IteratorAge"], by = "Policy" },
        { title = "Records in, events out, and what was there already", stat = "Sum", metrics = ["Records", "EventsWritten", "DuplicatesAvoided"], by = "Policy" },
        { title = "Batches that AWS stopped", stat = "Sum", metrics = ["BatchesStopped"], by = "Policy" },
        { title = "Errors of the functions, and calls that were turned away", stat = "Sum", metrics = ["Errors", "Throttles"], by = "FunctionName" },
        { title = "Batches that Lambda gave up on and nobody has replayed", stat = "Maximum", metrics = ["ApproximateNumberOfMessagesVisible"], by = "QueueName" },
      ]
    },
    {
      title = "Is it safe? Leaks are mistakes of a policy; what is in quarantine waits for somebody."
      graphs = [
        { title = "Leaks stopped by the guard", stat = "Sum", metrics = ["LeaksStopped"], by = "Policy" },
        { title = "Records in quarantine", stat = "Sum", metrics = ["RecordsQuarantined"], by = "Policy" },
        { title = "Values of another type or size than the policy expects, fields that it does not name", stat = "Sum", metrics = ["ValuesMismatched", "ValuesOversized", "FieldsUnknown"], by = "Policy" },
        { title = "People forgotten by removals, and values redacted for those who are", stat = "Sum", metrics = ["PeopleForgotten", "ValuesErased"], by = "Policy" },
      ]
    },
    {
      title = "Is it useful? Too many flags tire the fraud desk; features that are missing blind the model."
      graphs = [
        { title = "Events flagged as suspicious", stat = "Sum", metrics = ["EventsFlagged"], by = "Policy" },
        { title = "Alerts published", stat = "Sum", metrics = ["AlertsPublished"], by = "Policy" },
        { title = "Features that had to be imputed, and profiles that missed an update", stat = "Sum", metrics = ["FeaturesImputed", "ProfilesMissed"], by = "Policy" },
        { title = "Scores in each tenth: lines apart have drifted from training", stat = "Sum", metrics = ["ScoreDecile0", "ScoreDecile1", "ScoreDecile2", "ScoreDecile3", "ScoreDecile4", "ScoreDecile5", "ScoreDecile6", "ScoreDecile7", "ScoreDecile8", "ScoreDecile9"], by = "Policy" },
        { title = "Flagged by the model in use and a candidate beside it: by both, one alone; batches it missed", stat = "Sum", metrics = ["ShadowFlaggedToo", "ShadowFlaggedAlone", "ShadowFlaggedNot", "ShadowBehind"], by = "Policy" },
      ]
    },
    {
      title = "What does it cost?"
      graphs = [
        { title = "Work on a batch, ms", stat = "Average", metrics = ["DurationDecode", "DurationScore", "DurationSanitise"], by = "Policy" },
        { title = "Waiting for AWS, ms a batch", stat = "Average", metrics = ["DurationPeople", "DurationSettle", "DurationProfiles", "DurationAudit", "DurationAlerts"], by = "Policy" },
        { title = "Cold starts", stat = "Sum", metrics = ["ColdStart"], by = "Policy" },
        { title = "Functions on streams, US dollars an hour: time by memory, and calls (tidegate cost has the rest)", stat = "Sum", metrics = ["Duration", "Invocations"], by = "Cost" },
      ]
    },
    {
      title = "Who asks for people? Who it was, and why, is in the audit trail."
      graphs = [
        { title = "Requests, refused and failed", stat = "Sum", metrics = ["Requests", "RequestsRefused", "RequestsFailed"], by = "Function" },
        { title = "Tokens opened, of erased people, and invalid", stat = "Sum", metrics = ["ValuesOpened", "TokensErased", "TokensInvalid"], by = "Function" },
        { title = "People erased, erased again, and looked up", stat = "Sum", metrics = ["PeopleErased", "ErasedAgain", "DryRuns"], by = "Function" },
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.prefix
  dashboard_body = jsonencode({ widgets = local.widgets })
}

# --- How it is drawn ---------------------------------------------------------------------------------

locals {
  # By which dimension a graph has lines, of which namespace, and for whom.
  lines_by = {
    Policy       = { namespace = "Tidegate", names = keys(local.policies) }
    Function     = { namespace = "Tidegate", names = values(local.access) }
    FunctionName = { namespace = "AWS/Lambda", names = values(local.functions) }
    QueueName    = { namespace = "AWS/SQS", names = [for stream in local.streams : "${stream.name}-failures"] }
    Cost         = { namespace = "AWS/Lambda", names = [] } # its lines are worked out below
  }

  # An estimate of what each function on a stream costs: by the prices that `tidegate cost` goes by, of their day and region.
  prices = jsondecode(file("${path.root}/../processor/review/prices.json")).prices
  usd    = { for name in ["lambda_gb_s_${var.architecture}", "lambda_request"] : name => local.prices[name].usd / local.prices[name].per }
  cost_lines = flatten([
    for at, name in keys(local.streams) : [
      { cost = [{ expression = "d${at} / 1000 * ${local.streams[name].memory_mb / 1024} * ${local.usd["lambda_gb_s_${var.architecture}"]} + n${at} * ${local.usd["lambda_request"]}", label = name, id = "c${at}" }] },
      [for id, metric in { d = "Duration", n = "Invocations" } : {
        cost                 = ["AWS/Lambda", metric, "FunctionName", local.streams[name].name, { id = "${id}${at}", visible = false }]
      }],
    ]
  ])

  runbook = startswith(var.runbook_url, "https://") ? "[what to do when an alarm rings](${var.runbook_url})" : "when an alarm rings: ${var.runbook_url}"

  # A grid of 24 columns; for each question a line of text, and rows of at most four graphs.
  rows = [for question in local.questions : ceil(length(question.graphs) / 4)]
  tops = [for at in range(length(local.rows)) : sum(concat([0], [for above in slice(local.rows, 0, at) : 2 + 6 * above]))]
  side = [for at, rows in local.rows : ceil(length(local.questions[at].graphs) / rows)] # graphs side by side

  widgets = flatten([
    for at, question in local.questions : [
      [{
        type       = "text", x = 0, y = local.tops[at], width = 24, height = 2
        properties = { markdown = "## ${question.title}${at == 0 ? " · ${local.runbook}" : ""}" }
      }],
      [for place, graph in question.graphs : {
        type  = "metric", y = local.tops[at] + 2 + 6 * floor(place / local.side[at]), height = 6
        x     = place % local.side[at] * floor(24 / local.side[at])
        width = floor(24 / local.side[at])
        properties = {
          title  = graph.title
          region = var.region
          view   = "timeSeries"
          stat   = graph.stat
          period = graph.by == "Cost" ? 3600 : 60
          yAxis  = { left = { min = 0 } }
          metrics = concat(
            [for line in setproduct(graph.metrics, local.lines_by[graph.by].names) : [local.lines_by[graph.by].namespace, line[0], graph.by, line[1]]],
            [for line in local.cost_lines : line.cost if graph.by == "Cost"],
          )
        }
      }],
    ]
  ])
}
