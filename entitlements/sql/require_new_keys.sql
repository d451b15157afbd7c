-- A kept account does not know which keys were used before. An insert finds that out by itself, but not of what was
-- archived (:archived), nor of keys that were refused or denied now and are not inserted (:events, :holds).
SELECT decide_again_unless(NOT EXISTS (
    SELECT FROM json_to_recordset(%(archived)s::json) AS n (customer_id bigint, id uuid) CROSS JOIN LATERAL (
        SELECT FROM usage_tombstone WHERE customer_id = n.customer_id AND key_digest = n.id OFFSET 0) t
    UNION ALL
    SELECT FROM json_to_recordset(%(events)s::json) AS n (customer_id bigint, id uuid) CROSS JOIN LATERAL (
        SELECT FROM usage_event WHERE customer_id = n.customer_id AND key_digest = n.id OFFSET 0) e
    UNION ALL
    SELECT FROM json_to_recordset(%(holds)s::json) AS n (customer_id bigint, id uuid) CROSS JOIN LATERAL (
        SELECT FROM hold WHERE customer_id = n.customer_id AND id = n.id OFFSET 0) h))
