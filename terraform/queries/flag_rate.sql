-- How many events the model flagged, by day and model, over the last 30 days.
SELECT dt, fraud.model AS model, count(*) AS events, count_if(fraud.flagged) AS flagged,
       CAST(count_if(fraud.flagged) AS double) / count(*) AS flag_rate, avg(fraud.score) AS mean_score
FROM ${table}
WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d') AND fraud IS NOT NULL
GROUP BY dt, fraud.model
ORDER BY dt, model
