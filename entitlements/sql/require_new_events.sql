-- A kept account knows no keys of events that were archived; those that are stored refuse a second insert by themselves.
SELECT decide_again_unless(NOT EXISTS (
    SELECT FROM json_to_recordset(%(rows)s::json) AS n (customer_id bigint, key_digest uuid) CROSS JOIN LATERAL (
        SELECT FROM usage_tombstone WHERE customer_id = n.customer_id AND key_digest = n.key_digest OFFSET 0) t))
