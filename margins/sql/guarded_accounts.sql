-- Guarded customers whose figure is to be worked out: it is missing, of another period, below a floor (so that it stays
-- fresh while it denies), an hour old, or usage was reported since, of the last minutes; what comes later than that waits for the hour.
WITH g AS (
    SELECT * FROM margin_guard WHERE starts_at <= %(now)s AND (ends_at IS NULL OR ends_at > %(now)s)
), guarded AS (
    SELECT b.customer_id, max((g.floor * 1000000)::bigint) AS floor_micro
    FROM g JOIN LATERAL (
        SELECT g.customer_id WHERE g.customer_id IS NOT NULL
        UNION ALL
        SELECT s.customer_id FROM subscription s JOIN plan_version v ON v.id = s.plan_version_id
        WHERE g.plan_id IS NOT NULL AND v.plan_id = g.plan_id AND s.ended_at IS NULL
          AND NOT EXISTS (SELECT FROM g own WHERE own.customer_id = s.customer_id)
    ) b ON true
    WHERE %(customers)s::bigint[] IS NULL OR b.customer_id = ANY(%(customers)s)
    GROUP BY b.customer_id
)
SELECT c.id, c.key, c.currency, b.period_start, b.period_end, s.started_at,
       (v.price * 1000000000)::bigint, v.price_currency,
       CASE WHEN v.overage_price IS NULL
           THEN b.posted_microcredits - b.held_microcredits - b.debt_microcredits END,
       guarded.floor_micro
FROM guarded
JOIN customer c ON c.id = guarded.customer_id
JOIN balance b ON b.customer_id = c.id
JOIN subscription s ON s.id = b.subscription_id
JOIN plan_version v ON v.id = b.plan_version_id
LEFT JOIN margin_figure f ON f.customer_id = c.id
WHERE b.period_start <= %(now)s AND b.period_end > %(now)s
  AND (%(customers)s::bigint[] IS NOT NULL
    OR f.customer_id IS NULL OR f.period_start <> b.period_start
    OR f.ratio_micro IS NULL OR f.ratio_micro < guarded.floor_micro
    OR f.computed_at < %(now)s - interval '1 hour'
    OR EXISTS (SELECT FROM usage_event e
               WHERE e.customer_id = c.id AND e.occurred_at > f.computed_at - interval '10 minutes'
                 AND e.received_at > f.computed_at - interval '5 seconds'))
ORDER BY c.id
