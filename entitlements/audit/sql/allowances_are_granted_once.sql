SELECT customer_id,
       CASE WHEN following < COALESCE(expires_at, 'infinity')
            THEN concat(source, ' ', key, ' runs until ', COALESCE(expires_at::text, 'ever'), ', the next begins at ', following)
       END AS fault
FROM (SELECT customer_id, source, key, expires_at,
             lead(effective_at) OVER (PARTITION BY customer_id, subscription_id, source ORDER BY effective_at, id) AS following
      FROM credit_grant
      WHERE source IN ('allowance', 'rollover') AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
     ) allowance
