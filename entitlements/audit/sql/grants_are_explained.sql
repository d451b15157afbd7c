-- A grant enters the ledger once, whole, when it becomes active; what is left of it is the sum of its entries; it is
-- closed when nothing is left, or when it was voided before it began.
SELECT g.customer_id,
       CASE WHEN g.activated_at IS NULL AND l.entries > 0 THEN concat('grant ', g.key, ' has entries and is not active')
            WHEN g.activated_at IS NULL AND g.remaining_microcredits <> g.amount_microcredits
            THEN concat('grant ', g.key, ' is not active and has ', g.remaining_microcredits, ' of ',
                        g.amount_microcredits, ' left')
            WHEN g.activated_at <> g.effective_at THEN concat('grant ', g.key, ' was not activated when it became effective')
            WHEN g.activated_at IS NOT NULL AND (l.starts IS DISTINCT FROM 1 OR l.granted <> g.amount_microcredits)
            THEN concat('grant ', g.key, ' of ', g.amount_microcredits, ' has ', COALESCE(l.starts, 0),
                        ' grant entries, of ', COALESCE(l.granted, 0))
            WHEN g.activated_at IS NOT NULL AND g.remaining_microcredits <> l.remaining
            THEN concat('grant ', g.key, ' has ', g.remaining_microcredits, ' left, its entries sum to ', l.remaining)
            WHEN (g.closed_at IS NOT NULL) <> CASE WHEN g.activated_at IS NULL THEN g.voided_at IS NOT NULL
                                                   ELSE g.remaining_microcredits = 0 END
            THEN concat('grant ', g.key, ' is ', CASE WHEN g.closed_at IS NULL THEN 'open' ELSE 'closed' END, ' with ',
                        g.remaining_microcredits, ' left')
       END AS fault
FROM credit_grant g
LEFT JOIN (SELECT customer_id, grant_id, count(*) AS entries, count(*) FILTER (WHERE kind = 1) AS starts,
                  sum(amount_microcredits) FILTER (WHERE kind = 1) AS granted, sum(amount_microcredits) AS remaining
           FROM ledger_entry
           WHERE bucket = 1 AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
           GROUP BY customer_id, grant_id) l ON l.customer_id = g.customer_id AND l.grant_id = g.id
WHERE %(customer_id)s::bigint IS NULL OR g.customer_id = %(customer_id)s
