-- The calendar months (UTC) that have events from before an instant, and how many.
SELECT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date AS month, count(*)
FROM usage_event
WHERE occurred_at < %(before)s AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
GROUP BY 1
ORDER BY 1
