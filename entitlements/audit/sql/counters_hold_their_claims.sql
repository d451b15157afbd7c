SELECT customer_id,
       CASE WHEN COALESCE(k.held, 0) <> COALESCE(h.claimed, 0)
            THEN concat_ws(' ', 'limit', limit_key, NULLIF(scope_key, ''), 'holds', COALESCE(k.held, 0),
                           'and open holds claim', COALESCE(h.claimed, 0))
       END AS fault
FROM (SELECT customer_id, scope_key, limit_key, held FROM limit_counter
      WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s) k
FULL JOIN (SELECT h.customer_id, claim ->> 0 AS scope_key, claim ->> 1 AS limit_key, sum((claim ->> 2)::bigint) AS claimed
           FROM hold h CROSS JOIN jsonb_array_elements(h.claims) AS claim
           WHERE h.closed_at IS NULL AND (%(customer_id)s::bigint IS NULL OR h.customer_id = %(customer_id)s)
           GROUP BY 1, 2, 3) h USING (customer_id, scope_key, limit_key)
