-- What the limits of a plan or of everyone have used (store/shared.py: _Wanted), from the rollups. However many limits
-- there are, each rollup is read once, and only if a limit is of its window.
WITH l AS (
    SELECT * FROM json_to_recordset(%(limits)s::json) AS l (
        id bigint, unit text, "window" text, plans bigint[], feature_id bigint, models text[])
), r AS (
    SELECT 'day' AS "window", plan_version_id, feature_id, model, sum(calls) AS calls,
           sum(input_tokens + output_tokens) AS tokens, sum(charged_microcredits) AS credits, sum(cost_nanousd) AS cost
    FROM usage_day WHERE day = %(day)s AND EXISTS (SELECT FROM l WHERE l."window" = 'day')
    GROUP BY plan_version_id, feature_id, model
    UNION ALL
    SELECT 'period', plan_version_id, feature_id, model, sum(calls),
           sum(input_tokens + output_tokens), sum(charged_microcredits), sum(cost_nanousd)
    FROM usage_month WHERE month = %(month)s AND EXISTS (SELECT FROM l WHERE l."window" = 'period')
    GROUP BY plan_version_id, feature_id, model
    UNION ALL
    SELECT 'lifetime', plan_version_id, feature_id, model, sum(calls),
           sum(input_tokens + output_tokens), sum(charged_microcredits), sum(cost_nanousd)
    FROM usage_month WHERE EXISTS (SELECT FROM l WHERE l."window" = 'lifetime')
    GROUP BY plan_version_id, feature_id, model
)
SELECT l.id,
       COALESCE(sum(CASE l.unit
           WHEN 'calls' THEN r.calls WHEN 'tokens' THEN r.tokens WHEN 'credits' THEN r.credits WHEN 'cost' THEN r.cost
       END), 0)
FROM l LEFT JOIN r
    ON r."window" = l."window"
   AND (l.plans IS NULL OR r.plan_version_id = ANY(l.plans))
   AND (l.feature_id IS NULL OR r.feature_id = l.feature_id)
   AND (l.models IS NULL OR r.model = ANY(l.models))
GROUP BY l.id
