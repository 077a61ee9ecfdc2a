-- Where one event is from and under what it was made. Parameters: its event_id, and the day from which on to look, as
-- '2026-11-25'. Which rule made each value: tidegate audit show --event.
SELECT event_id, type, time, "table", sequence, keys, "$path" AS object, policy.name AS policy, policy.version AS version,
       policy.sha256 AS policy_sha256, policy.key_version AS key_version, fraud.model AS model, fraud.score AS score,
       fraud.flagged AS flagged, notes.leaks AS leaks, notes.mismatched AS mismatched, notes.erased AS erased, new, old
FROM ${table}
WHERE event_id = ? AND dt >= ?
ORDER BY dt
