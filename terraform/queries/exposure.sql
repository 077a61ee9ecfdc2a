-- In what form each field left, over the last 7 days: what is in clear, what can be opened again, and how many people or
-- things it tells apart. `action` is that of the policy in force; an older version may have had another. Fields within
-- lists are not in it.
SELECT policy.version AS version, field, action, count(*) AS events, count(value) AS present,
       count_if(value = '[redacted]') AS redacted,
       count_if(value LIKE 'tok.%') AS tokens,
       count_if(value LIKE 'psn.%') AS pseudonyms,
       count_if(value <> '[redacted]' AND value NOT LIKE 'tok.%' AND value NOT LIKE 'psn.%') AS otherwise,
       count(DISTINCT value) AS values_apart
FROM ${table}
CROSS JOIN UNNEST(
  ARRAY[${names}],
  ARRAY[${actions}],
  ARRAY[${values}]
) AS fields (field, action, value)
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d') AND new IS NOT NULL
GROUP BY policy.version, field, action
ORDER BY version, field
