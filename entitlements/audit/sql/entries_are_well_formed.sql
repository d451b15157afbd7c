SELECT l.customer_id,
       CASE WHEN shape.kind IS NULL
            THEN concat('entry ', l.seq, ' is of kind ', l.kind, ' in bucket ', l.bucket, ' with ', l.amount_microcredits)
            WHEN l.bucket <> 1 AND l.kind NOT IN (11, 12) AND l.grant_id IS NOT NULL
            THEN concat('entry ', l.seq, ' names a grant it does not move')
       END AS fault
FROM ledger_entry l
LEFT JOIN (VALUES (1, 1, 1),    -- grant
                  (2, 1, -1),   -- burn
                  (3, 1, -1),   -- expire
                  (4, 1, -1),   -- void
                  (5, 2, -1),   -- debt
                  (6, 2, 1),    -- debt paid
                  (7, 3, -1),   -- overage
                  (8, 3, 1),    -- overage paid
                  (9, 1, 1),    -- refund to the grant that paid
                  (9, 2, 1),    -- refund of what was debt
                  (9, 3, 1),    -- refund of what was overage
                  (10, 3, 1),   -- overage billed
                  (11, 1, -1),  -- reversal of what was left
                  (11, 2, -1),  -- reversal of what was burned, as debt
                  (12, 1, 1),   -- restored to the grant
                  (12, 2, 1)    -- restored by forgiving debt
          ) AS shape (kind, bucket, sign)
    ON shape.kind = l.kind AND shape.bucket = l.bucket AND shape.sign = sign(l.amount_microcredits)
WHERE %(customer_id)s::bigint IS NULL OR l.customer_id = %(customer_id)s
