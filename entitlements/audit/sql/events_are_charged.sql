-- What an event says it was charged is what the ledger took for it: burned, run up as overage, or left as debt.
-- Corrections (refunds) are entries of their own beside these. No charge known, or none: no entry.
SELECT e.customer_id,
       CASE WHEN COALESCE(e.charged_microcredits, 0) <> COALESCE(l.taken, 0)
            THEN concat('usage ', e.key, ' is charged ', COALESCE(e.charged_microcredits::text, 'nothing'),
                        ', the ledger took ', COALESCE(l.taken, 0))
       END AS fault
FROM (SELECT customer_id, key_digest, key, charged_microcredits FROM usage_event
      UNION ALL
      SELECT customer_id, key_digest, key_digest::text, charged_microcredits FROM usage_tombstone) e
LEFT JOIN (SELECT customer_id, event_digest, -sum(amount_microcredits) AS taken FROM ledger_entry
           WHERE event_digest IS NOT NULL AND kind IN (2, 5, 7)
             AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
           GROUP BY customer_id, event_digest) l ON l.customer_id = e.customer_id AND l.event_digest = e.key_digest
WHERE %(customer_id)s::bigint IS NULL OR e.customer_id = %(customer_id)s
