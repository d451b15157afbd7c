-- What lines per agent run come to, on the day a run was opened, for the plan in force then.
SELECT run.customer_id, slice.number AS slice, coalesce(in_force.plan_version_id, 0) AS plan_version_id,
       NULL::bigint AS feature_id, NULL::text AS model, NULL::text AS user_key, line.currency, NULL::text AS kind,
       line.id AS line_id, line.amount_nano
FROM run
JOIN slice_day ON slice_day.day = (run.opened_at AT TIME ZONE 'UTC')::date
JOIN slice ON slice.number = slice_day.number
LEFT JOIN LATERAL (
    SELECT s.plan_version_id, v.plan_id FROM subscription s JOIN plan_version v ON v.id = s.plan_version_id
    WHERE s.customer_id = run.customer_id AND s.started_at <= run.opened_at AND (s.ended_at IS NULL OR s.ended_at > run.opened_at)
    ORDER BY s.started_at DESC, s.id DESC LIMIT 1
) in_force ON true
JOIN line ON line.basis = 'per_run'
         AND line.starts_at <= slice.starts_at AND (line.ends_at IS NULL OR line.ends_at > slice.starts_at)
         AND (line.customer_id IS NULL OR line.customer_id = run.customer_id)
         AND (line.plan_id IS NULL OR line.plan_id = in_force.plan_id)
WHERE %(customers)s::bigint[] IS NULL OR run.customer_id = ANY(%(customers)s::bigint[])
