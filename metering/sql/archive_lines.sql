-- The events of a span, each as a line of JSON with every column by its name.
SELECT row_to_json(e)::text
FROM usage_event e
WHERE occurred_at >= %(start)s AND occurred_at < %(end)s
  AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
ORDER BY customer_id, occurred_at, key_digest
