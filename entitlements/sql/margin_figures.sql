-- The customers whose projected margin is below a floor in force, with those floors (store/margins.py), and whether there
-- are guards at all: without any, nobody asks again before the revision moves. A customer's own guards replace the plan's.
WITH g AS (
    SELECT * FROM margin_guard WHERE starts_at <= %(now)s AND (ends_at IS NULL OR ends_at > %(now)s)
), below AS (
    SELECT f.customer_id, f.ratio_micro, f.computed_at, f.period_start, f.period_end,
           json_agg(json_build_object(
               'floor_micro', (g.floor * 1000000)::bigint, 'action', g.action,
               'scope', CASE WHEN g.customer_id IS NULL THEN 'plan' ELSE 'customer' END,
               'freshness_seconds', g.freshness_seconds, 'trusts_stale', g.trusts_stale) ORDER BY g.id) AS floors
    FROM margin_figure f
    JOIN balance b ON b.customer_id = f.customer_id
    LEFT JOIN plan_version v ON v.id = b.plan_version_id
    JOIN g ON g.customer_id = f.customer_id
        OR (g.plan_id = v.plan_id AND NOT EXISTS (SELECT FROM g own WHERE own.customer_id = f.customer_id))
    WHERE f.ratio_micro IS NULL OR f.ratio_micro < g.floor * 1000000
    GROUP BY f.customer_id
)
SELECT EXISTS (SELECT FROM margin_guard WHERE ends_at IS NULL OR ends_at > %(now)s),
       COALESCE((SELECT json_object_agg(customer_id, json_build_object(
           'ratio_micro', ratio_micro,
           'computed_at', to_char(computed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'period_start', to_char(period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'period_end', to_char(period_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'floors', floors)) FROM below), '{}')::text
