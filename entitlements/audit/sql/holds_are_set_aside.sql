SELECT b.customer_id,
       CASE WHEN b.held_microcredits <> COALESCE(h.held, 0)
            THEN concat('held is ', b.held_microcredits, ', open holds have ', COALESCE(h.held, 0))
            WHEN b.held_microcredits > b.posted_microcredits
            THEN concat('held is ', b.held_microcredits, ' of ', b.posted_microcredits, ' posted')
       END AS fault
FROM balance b
LEFT JOIN (SELECT customer_id, sum(held_microcredits) AS held FROM hold
           WHERE closed_at IS NULL AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
           GROUP BY customer_id) h USING (customer_id)
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
