SELECT l.customer_id,
       CASE WHEN e.key_digest IS NULL AND t.key_digest IS NULL
            THEN concat('entry ', l.seq, ' names usage ', l.event_digest, ', which is neither there nor archived')
       END AS fault
FROM ledger_entry l
LEFT JOIN usage_event e ON e.customer_id = l.customer_id AND e.key_digest = l.event_digest
LEFT JOIN usage_tombstone t ON t.customer_id = l.customer_id AND t.key_digest = l.event_digest
WHERE l.event_digest IS NOT NULL AND (%(customer_id)s::bigint IS NULL OR l.customer_id = %(customer_id)s)
