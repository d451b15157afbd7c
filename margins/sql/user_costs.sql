-- What lines per active user come to: of a calendar month, on the first day a user used anything in it; or of each such
-- day. A user is active by usage that names one. The day's latest plan bears it.
SELECT active.customer_id, slice.number AS slice, active.plan_version_id, NULL::bigint AS feature_id, NULL::text AS model,
       NULL::text AS user_key, line.currency, NULL::text AS kind, line.id AS line_id,
       line.amount_nano * active.users AS amount_nano
FROM (
    SELECT customer_id, day, 'per_active_user_day' AS basis, max(plan_version_id) AS plan_version_id,
           count(DISTINCT user_key) AS users
    FROM usage_day
    WHERE user_key <> '' AND day >= %(first_day)s AND day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
    GROUP BY customer_id, day
    UNION ALL
    SELECT customer_id, day, 'per_active_user', max(plan_version_id), count(*)
    FROM (
        SELECT DISTINCT ON (customer_id, user_key, date_trunc('month', day)) customer_id, day, plan_version_id
        FROM usage_day
        WHERE user_key <> '' AND day >= date_trunc('month', %(first_day)s::date)::date AND day < %(end_day)s
          AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
        ORDER BY customer_id, user_key, date_trunc('month', day), day, plan_version_id DESC
    ) first_of_month
    GROUP BY customer_id, day
) active
JOIN slice_day ON slice_day.day = active.day
JOIN slice ON slice.number = slice_day.number
LEFT JOIN plan_version v ON v.id = active.plan_version_id
JOIN line ON line.basis = active.basis
         AND line.starts_at <= slice.starts_at AND (line.ends_at IS NULL OR line.ends_at > slice.starts_at)
         AND (line.customer_id IS NULL OR line.customer_id = active.customer_id)
         AND (line.plan_id IS NULL OR line.plan_id = v.plan_id)
