-- How many of these archived events have their tombstone.
SELECT count(*)
FROM unnest(%(customer_id)s::bigint[], %(key_digest)s::uuid[], %(body_digest)s::uuid[])
    AS archived (customer_id, key_digest, body_digest)
JOIN usage_tombstone t USING (customer_id, key_digest, body_digest)
