-- What customers used between the start of their period and the first midnight (UTC) after it: rollups are of whole days.
-- What a grant's burn earns is its share of what was paid; overage, its price; as margins/recognition.py says.
WITH a AS (
    SELECT customer_id, start, date_trunc('day', start, 'UTC') + interval '1 day' AS midnight
    FROM unnest(%(customers)s::bigint[], %(starts)s::timestamptz[]) AS a (customer_id, start)
), used AS (
    SELECT a.customer_id,
           COALESCE(sum(CASE %(inference)s WHEN 'computed' THEN e.computed_cost_nanousd ELSE e.cost_nanousd END), 0) AS cost,
           COALESCE(sum(e.charged_microcredits), 0) AS charged,
           count(e.*) FILTER (WHERE e.cost_nanousd IS NULL) AS unpriced
    FROM a LEFT JOIN usage_event e
        ON e.customer_id = a.customer_id AND e.occurred_at >= a.start AND e.occurred_at < a.midnight
    GROUP BY a.customer_id
), earned AS (
    SELECT a.customer_id, COALESCE(round(sum(CASE
        WHEN l.bucket = %(posted)s AND g.paid_currency = c.currency THEN -l.amount_microcredits * g.paid * 1e9 / g.amount_microcredits
        WHEN l.bucket = %(overages)s AND v.price_currency = c.currency THEN -l.amount_microcredits * v.overage_price * 1e3
        END)), 0) AS revenue
    FROM a JOIN customer c ON c.id = a.customer_id JOIN balance b ON b.customer_id = a.customer_id
    LEFT JOIN plan_version v ON v.id = b.plan_version_id
    LEFT JOIN ledger_entry l ON l.customer_id = a.customer_id AND l.effective_at >= a.start AND l.effective_at < a.midnight
        AND (l.kind IN (%(overage)s, %(overage_paid)s) OR (l.bucket = %(posted)s AND l.kind = %(burn)s))
    LEFT JOIN credit_grant g ON g.customer_id = l.customer_id AND g.id = l.grant_id AND g.paid > 0
        AND g.source NOT IN ('allowance', 'rollover')
    GROUP BY a.customer_id
)
SELECT used.customer_id, used.cost, earned.revenue, used.charged, used.unpriced
FROM used JOIN earned ON earned.customer_id = used.customer_id
