-- What these keys were used for before: live events, and the tombstones of archived ones.
SELECT e.customer_id, e.key_digest, e.body_digest, e.charged_microcredits, e.cost_nanousd
FROM unnest(%(customer_keys)s::text[], %(digests)s::uuid[]) AS asked (customer_key, key_digest)
JOIN customer c ON c.key = asked.customer_key
JOIN usage_event e ON e.customer_id = c.id AND e.key_digest = asked.key_digest
UNION ALL
SELECT t.customer_id, t.key_digest, t.body_digest, t.charged_microcredits, t.cost_nanousd
FROM unnest(%(customer_keys)s::text[], %(digests)s::uuid[]) AS asked (customer_key, key_digest)
JOIN customer c ON c.key = asked.customer_key
JOIN usage_tombstone t ON t.customer_id = c.id AND t.key_digest = asked.key_digest
