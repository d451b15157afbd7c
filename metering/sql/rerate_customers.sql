-- Who has usage on these days, in the order batches take them.
SELECT DISTINCT customer_id
FROM usage_day
WHERE day >= %(starts_on)s AND day < %(ends_on)s AND customer_id >= %(from_customer)s
  AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
ORDER BY customer_id
