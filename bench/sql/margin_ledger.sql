-- What paid for that usage: every other call the allowance, the others the pack.
INSERT INTO ledger_entry (customer_id, seq, recorded_at, effective_at, kind, bucket, amount_microcredits, grant_id, event_digest)
SELECT g.customer_id, CASE g.source WHEN 'allowance' THEN 1 ELSE 2 END, %(start)s, %(start)s, 1, 1, g.amount_microcredits, g.id, NULL
FROM credit_grant g WHERE g.customer_id BETWEEN %(first)s AND %(last)s
UNION ALL
SELECT e.customer_id, 2 + split_part(e.key, '.', 2)::bigint, e.occurred_at, e.occurred_at, 2, 1, -e.charged_microcredits,
       md5(CASE split_part(e.key, '.', 2)::bigint %% 2 WHEN 0 THEN 'allowance' ELSE 'top_up' END || e.customer_id)::uuid, e.key_digest
FROM usage_event e WHERE e.customer_id BETWEEN %(first)s AND %(last)s
ORDER BY 1, 2
