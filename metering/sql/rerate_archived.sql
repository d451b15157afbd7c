-- Calls of these days that have left for the archive, and how many of them have no cost: they stay as they are.
SELECT COALESCE(sum(calls), 0)::bigint, COALESCE(sum(unpriced_calls), 0)::bigint
FROM archived_usage_day
WHERE day >= %(starts_on)s AND day < %(ends_on)s
  AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
  AND (%(model)s = '' OR model = %(model)s)
