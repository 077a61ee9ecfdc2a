-- What exports brought through the gate within the last 90 days, by export; `twice` is 0 if all is well. The day is that of
-- the export.
SELECT dt, regexp_extract("$path", 'backfill=([^/]+)', 1) AS export, policy.version AS version, count(*) AS events,
       count(*) - count(DISTINCT event_id) AS twice, sum(notes.leaks) AS leaks, sum(notes.erased) AS erased
FROM ${table}
WHERE dt >= date_format(current_date - INTERVAL '90' DAY, '%Y-%m-%d') AND event_id LIKE 'backfill-%'
GROUP BY dt, regexp_extract("$path", 'backfill=([^/]+)', 1), policy.version
ORDER BY dt, export
