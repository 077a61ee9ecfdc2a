-- What the gate noted beside its work, by day and version of the policy, over the last 30 days: leaks that its guard
-- caught, values that no action handled or that were too large, values of erased people, fields that no rule names.
SELECT dt, policy.version AS version, count(*) AS events, count_if(notes.leaks > 0) AS events_with_leaks,
       sum(notes.leaks) AS leaks, sum(notes.mismatched) AS mismatched, sum(notes.oversized) AS oversized,
       sum(notes.erased) AS erased, sum(notes.unknown) AS unknown, count_if(event_id IS NULL) AS unreadable
FROM ${table}
WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY dt, policy.version
ORDER BY dt, version
