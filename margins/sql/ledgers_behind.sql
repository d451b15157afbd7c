-- The customers whose ledgers have grown since they were added up.
SELECT b.customer_id
FROM balance b LEFT JOIN revenue_mark m ON m.customer_id = b.customer_id
WHERE b.ledger_seq > coalesce(m.seq, 0)
  AND (%(customers)s::bigint[] IS NULL OR b.customer_id = ANY(%(customers)s::bigint[]))
ORDER BY b.customer_id
