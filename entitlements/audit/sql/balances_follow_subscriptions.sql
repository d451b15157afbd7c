SELECT b.customer_id,
       CASE WHEN (b.subscription_id, b.plan_version_id, b.anchor) IS DISTINCT FROM (s.id, s.plan_version_id, s.anchor)
            THEN concat('is on subscription ', COALESCE(b.subscription_id::text, 'none'), ', plan version ',
                        COALESCE(b.plan_version_id::text, 'none'), '; the open one is ', COALESCE(s.id::text, 'none'), ', ',
                        COALESCE(s.plan_version_id::text, 'none'))
       END AS fault
FROM balance b
LEFT JOIN subscription s ON s.customer_id = b.customer_id AND s.ended_at IS NULL
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
