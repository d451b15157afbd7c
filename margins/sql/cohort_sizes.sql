-- How many customers first subscribed in each month (UTC, by its first day); NULL: never.
SELECT date_trunc('month', first.started_at AT TIME ZONE 'UTC')::date, count(*)
FROM customer c
LEFT JOIN (SELECT customer_id, min(started_at) AS started_at FROM subscription GROUP BY 1) first ON first.customer_id = c.id
GROUP BY 1
