-- The same for slices of whole calendar months, each of which stands for its first day.
SELECT customer_id, CASE WHEN cardinality(%(slice_first_day)s::date[]) = 1 THEN 1 ELSE width_bucket(day, %(slice_first_day)s::date[]) END AS slice, plan_version_id, NULL::bigint AS feature_id,
       NULL::text AS model, NULL::text AS user_key, currency, kind, NULL::bigint AS line_id, amount_nano
FROM (
    SELECT customer_id, month AS day, plan_version_id, currency, kind, amount_nano
    FROM revenue_month
    WHERE month >= %(first_day)s AND month < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
    UNION ALL
    SELECT customer_id, day, plan_version_id, currency, kind, amount_nano
    FROM earned
    WHERE day >= %(first_day)s AND day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
) r
