SELECT l.customer_id,
       CASE WHEN g.id IS NULL THEN concat('entry ', l.seq, ' names grant ', l.grant_id, ', which the customer lacks')
       END AS fault
FROM ledger_entry l
LEFT JOIN credit_grant g ON g.customer_id = l.customer_id AND g.id = l.grant_id
WHERE (l.bucket = 1 OR l.kind IN (11, 12)) AND (%(customer_id)s::bigint IS NULL OR l.customer_id = %(customer_id)s)
