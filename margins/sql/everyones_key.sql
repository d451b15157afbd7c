-- By what shared costs are divided: every customer's day, in each of the keys. Slices are single days here.
everyones_key AS MATERIALIZED (
    SELECT u.customer_id, u.day - %(first_day)s::date + 1 AS slice, k.key, NULL::text AS currency, sum(k.weight) AS weight
    FROM usage_day u
    CROSS JOIN LATERAL (VALUES
        ('calls', u.calls), ('cost', u.cost_nanousd), ('credits', u.charged_microcredits)
    ) AS k (key, weight)
    WHERE u.day >= %(first_day)s AND u.day < %(end_day)s
    GROUP BY u.customer_id, u.day, k.key
    UNION ALL
    SELECT DISTINCT s.customer_id, slice.number, 'customers', NULL::text, 1::numeric
    FROM subscription s JOIN slice ON s.started_at < slice.ends_at AND (s.ended_at IS NULL OR s.ended_at > slice.starts_at)
    UNION ALL
    SELECT r.customer_id, r.slice, 'revenue', r.currency, sum(r.amount_nano)
    FROM everyones_revenue r
    GROUP BY r.customer_id, r.slice, r.currency
)
