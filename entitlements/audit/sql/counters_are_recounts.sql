-- What a limit counts as used in its window is what the usage recorded in that window adds up to, each event by the
-- limit of that key in the plan it was recorded under. Exact while plan and archive stand still; otherwise between two
-- bounds, since a change of plan may or may not start a counter over, and parts of one call count as one. A counter of
-- another window than the plan's limit has now is dormant: it starts over when it is next used.
SELECT k.customer_id,
       CASE WHEN k.used < u.least OR k.used > u.most
            THEN concat_ws(' ', 'limit', k.limit_key, NULLIF(k.scope_key, ''), 'has used', k.used, 'since', k.window_start,
                           'and its usage adds up to', u.least, CASE WHEN u.most <> u.least THEN 'to ' || u.most END)
       END AS fault
FROM limit_counter k
JOIN customer c ON c.id = k.customer_id
JOIN balance b ON b.customer_id = k.customer_id
JOIN subscription s ON s.id = b.subscription_id
JOIN plan_limit now_limit ON now_limit.plan_version_id = b.plan_version_id AND now_limit.key = k.limit_key
CROSS JOIN LATERAL (
    SELECT CASE now_limit.window
        WHEN 'minute' THEN k.window_start + interval '1 minute'
        WHEN 'hour' THEN k.window_start + interval '1 hour'
        WHEN 'day' THEN CASE WHEN (k.window_start AT TIME ZONE c.time_zone)::time = '00:00'
            THEN (k.window_start AT TIME ZONE c.time_zone + interval '1 day') AT TIME ZONE c.time_zone END
        WHEN 'period' THEN CASE WHEN k.window_start = b.period_start THEN b.period_end END
        ELSE CASE WHEN k.window_start = 'epoch' THEN timestamptz 'infinity' END END AS until
) span
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(taken.amount) FILTER (WHERE taken.certain), 0) AS least,
           CASE WHEN EXISTS (SELECT FROM archived_usage_day a WHERE a.customer_id = k.customer_id
                             AND a.day >= (k.window_start AT TIME ZONE 'UTC')::date)
                THEN 9223372036854775807 ELSE COALESCE(sum(taken.amount), 0) END AS most
    FROM usage_event e
    JOIN plan_limit l ON l.plan_version_id = e.plan_version_id AND l.key = k.limit_key
    LEFT JOIN ai_model m ON m.key = e.model
    LEFT JOIN run r ON r.customer_id = e.customer_id AND r.key = e.run_key AND r.opened_at <= e.received_at
    LEFT JOIN hold h ON h.customer_id = e.customer_id AND h.id = e.hold_id
    CROSS JOIN LATERAL (
        SELECT CASE l.unit WHEN 'calls' THEN 1
                           WHEN 'credits' THEN COALESCE(e.charged_microcredits, 0)
                           WHEN 'cost' THEN COALESCE(e.cost_nanousd, 0)
                           ELSE e.input_tokens + e.output_tokens END AS amount,
               e.plan_version_id = b.plan_version_id AND e.received_at >= s.started_at
                   AND (l.unit <> 'calls' OR h.id IS NULL OR h.is_lease) AS certain
    ) taken
    WHERE e.customer_id = k.customer_id AND e.occurred_at >= k.window_start
      AND e.received_at >= k.window_start AND e.received_at < span.until
      AND (l.feature_id IS NULL OR l.feature_id = e.feature_id)
      AND (l.tier_id IS NULL OR l.tier_id = m.tier_id)
      AND k.scope_key = CASE l.scope WHEN 'user' THEN 'user:' || NULLIF(e.user_key, '') WHEN 'run' THEN 'run:' || r.id
                                     WHEN 'customer' THEN '' END
) u
WHERE span.until IS NOT NULL AND (%(customer_id)s::bigint IS NULL OR k.customer_id = %(customer_id)s)
