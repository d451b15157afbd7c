-- The latest of a customer's own entitlements to a feature that is in force now.
SELECT DISTINCT ON (e.customer_id, e.feature_id)
       e.customer_id, e.feature_id, e.allowed, t.rank, e.at_limit, e.config::text
FROM entitlement e JOIN customer c ON c.id = e.customer_id LEFT JOIN model_tier t ON t.id = e.max_tier_id
WHERE (c.key = ANY(%(keys)s) OR c.id = ANY(%(ids)s)) AND e.starts_at <= %(now)s AND (e.ends_at IS NULL OR e.ends_at > %(now)s)
ORDER BY e.customer_id, e.feature_id, e.starts_at DESC, e.id DESC
