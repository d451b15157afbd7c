-- What staff and payments that went back took from grants in a period (or gave back), whatever plan the customer is on.
SELECT e.customer_id, e.effective_at, e.grant_id, e.bucket, e.kind, e.amount_microcredits
FROM ledger_entry e
JOIN credit_grant g ON g.customer_id = e.customer_id AND g.id = e.grant_id AND g.source NOT IN ('allowance', 'rollover')
WHERE e.customer_id = ANY(%(customers)s) AND e.kind = ANY(%(taken)s)
  AND e.effective_at >= %(since)s AND e.effective_at < %(until)s
ORDER BY e.customer_id, e.seq
