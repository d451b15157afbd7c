-- What these keys were used for before: live events, and the tombstones of archived ones.
WITH asked AS (
    SELECT c.id AS customer_id, a.key_digest
    FROM unnest(%(customer_keys)s::text[], %(digests)s::uuid[]) AS a (customer_key, key_digest)
    JOIN customer c ON c.key = a.customer_key
    UNION ALL
    SELECT a.customer_id, a.key_digest
    FROM unnest(%(customer_ids)s::bigint[], %(digests)s::uuid[]) AS a (customer_id, key_digest)
    WHERE a.customer_id IS NOT NULL
)
SELECT e.customer_id, e.key_digest, e.body_digest, e.charged_microcredits, e.cost_nanousd
FROM asked JOIN usage_event e ON e.customer_id = asked.customer_id AND e.key_digest = asked.key_digest
UNION ALL
SELECT t.customer_id, t.key_digest, t.body_digest, t.charged_microcredits, t.cost_nanousd
FROM asked JOIN usage_tombstone t ON t.customer_id = asked.customer_id AND t.key_digest = asked.key_digest
