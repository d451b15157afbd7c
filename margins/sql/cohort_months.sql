-- What the customers who first subscribed in a month used in each calendar month from `start` up to `end`.
WITH used AS (
    SELECT customer_id, month, sum(calls) AS calls, sum(unpriced_calls) AS unpriced, sum(cost_nanousd) AS cost
    FROM usage_month WHERE month >= %(start)s AND month < %(end)s
    GROUP BY 1, 2
)
SELECT date_trunc('month', first.started_at AT TIME ZONE 'UTC')::date, used.month,
       count(*), sum(used.calls), sum(used.unpriced), sum(used.cost)
FROM used
LEFT JOIN (SELECT customer_id, min(started_at) AS started_at FROM subscription GROUP BY 1) first USING (customer_id)
GROUP BY 1, 2
