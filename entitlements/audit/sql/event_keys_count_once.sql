SELECT customer_id,
       CASE WHEN count(*) > 1 THEN concat('usage ', max(key), ' (', key_digest, ') is there ', count(*), ' times') END AS fault
FROM (SELECT customer_id, key_digest, key FROM usage_event
      UNION ALL
      SELECT customer_id, key_digest, NULL FROM usage_tombstone) e
WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
GROUP BY customer_id, key_digest
