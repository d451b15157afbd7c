-- What a customer's credits did, a row for each hour or day of their time zone in which something happened. `net` moves
-- posted − debt − overage; `used` is what usage took, wherever it was paid from.
SELECT date_trunc(%(step)s, effective_at, %(zone)s) AS starts_at,
       sum(amount_microcredits) AS net,
       coalesce(-sum(amount_microcredits) FILTER (WHERE event_digest IS NOT NULL), 0) AS used
FROM ledger_entry
WHERE customer_id = %(customer_id)s AND effective_at >= %(since)s
GROUP BY 1
ORDER BY 1
