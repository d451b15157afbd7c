-- What was recorded after its day was over, by day and billing currency: revenue, and calls with their supplier cost;
-- re-ratings of calls of that day included.
-- Begins with unread.sql and earned.sql.
, late AS (
    SELECT customer_id, day, currency, restated_nano AS revenue_nano, 0 AS calls, 0 AS cost_nanousd, restated_at AS at
    FROM revenue_day WHERE restated_at IS NOT NULL AND day >= %(first_day)s AND day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
    UNION ALL
    SELECT customer_id, day, currency, amount_nano, 0, 0, recorded_at
    FROM earned WHERE is_late AND day >= %(first_day)s AND day < %(end_day)s
    UNION ALL
    SELECT e.customer_id, (e.occurred_at AT TIME ZONE 'UTC')::date, c.currency, 0, 1, coalesce(e.cost_nanousd, 0), e.received_at
    FROM usage_event e JOIN customer c ON c.id = e.customer_id
    WHERE (e.received_at AT TIME ZONE 'UTC')::date > (e.occurred_at AT TIME ZONE 'UTC')::date
      AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
      AND (%(customers)s::bigint[] IS NULL OR e.customer_id = ANY(%(customers)s::bigint[]))
    UNION ALL
    SELECT a.customer_id, (a.occurred_at AT TIME ZONE 'UTC')::date, c.currency, 0, 0, a.delta_nanousd, a.created_at
    FROM rerating r
    JOIN cost_adjustment a ON a.rerating_id = r.id
    JOIN customer c ON c.id = a.customer_id
    WHERE r.starts_on < %(end_day)s AND r.ends_on > %(first_day)s
      AND a.occurred_at >= %(since)s AND a.occurred_at < %(until)s
      AND (a.created_at AT TIME ZONE 'UTC')::date > (a.occurred_at AT TIME ZONE 'UTC')::date
      AND (%(customers)s::bigint[] IS NULL OR a.customer_id = ANY(%(customers)s::bigint[]))
)
SELECT day, currency, sum(revenue_nano), sum(calls), sum(cost_nanousd), max(at)
FROM late GROUP BY day, currency
HAVING sum(revenue_nano) <> 0 OR sum(calls) <> 0 OR sum(cost_nanousd) <> 0
ORDER BY day, currency
