-- The month (UTC) of a customer's first subscription, as its first day.
cohort AS (
    SELECT customer_id, date_trunc('month', min(started_at) AT TIME ZONE 'UTC')::date AS month
    FROM subscription GROUP BY customer_id
)
