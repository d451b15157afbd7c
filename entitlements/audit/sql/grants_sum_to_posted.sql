SELECT b.customer_id,
       CASE WHEN b.posted_microcredits <> COALESCE(g.remaining, 0)
            THEN concat('posted is ', b.posted_microcredits, ', active grants have ', COALESCE(g.remaining, 0), ' left')
       END AS fault
FROM balance b
LEFT JOIN (SELECT customer_id, sum(remaining_microcredits) AS remaining FROM credit_grant
           WHERE activated_at IS NOT NULL AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
           GROUP BY customer_id) g USING (customer_id)
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
