-- A hold that has ended keeps nothing aside; one that has not can be decided again from its record. What was settled on
-- a hold is what its usage was charged (archived usage has forgotten its hold, so it may only be more).
SELECT h.customer_id,
       CASE WHEN (h.status = 1) <> (h.closed_at IS NULL)
            THEN concat('hold ', h.key, ' has status ', h.status, ' and ', COALESCE('closed ' || h.closed_at, 'is not closed'))
            WHEN h.closed_at IS NOT NULL AND (h.held_microcredits <> 0 OR h.steps <> 0 OR h.claims <> '[]')
            THEN concat('hold ', h.key, ' has ended and still holds ', h.held_microcredits, ', ', h.steps, ' steps, ', h.claims)
            WHEN h.closed_at IS NULL AND NOT h.is_lease AND d.id IS NULL
            THEN concat('hold ', h.key, ' has no record of its decision')
            WHEN COALESCE(e.charged, 0) > h.settled_microcredits AND h.status <> 4
              OR COALESCE(e.charged, 0) < h.settled_microcredits AND a.customer_id IS NULL
            THEN concat('hold ', h.key, ' was settled with ', h.settled_microcredits, ', its usage was charged ',
                        COALESCE(e.charged, 0))
       END AS fault
FROM hold h
LEFT JOIN decision d ON d.customer_id = h.customer_id AND d.id = h.id
LEFT JOIN (SELECT customer_id, hold_id, sum(charged_microcredits) AS charged FROM usage_event
           WHERE hold_id IS NOT NULL AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
           GROUP BY customer_id, hold_id) e ON e.customer_id = h.customer_id AND e.hold_id = h.id
LEFT JOIN (SELECT DISTINCT customer_id FROM archived_usage_day) a ON a.customer_id = h.customer_id
WHERE %(customer_id)s::bigint IS NULL OR h.customer_id = %(customer_id)s
