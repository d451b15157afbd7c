-- What was billed in [since, until), by customer and kind. Begins with bills.sql.
SELECT customer_id, currency, kind, sum(amount_nano)
FROM bill
WHERE at >= %(since)s AND at < %(until)s
  AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
GROUP BY customer_id, currency, kind
HAVING sum(amount_nano) <> 0
