-- What ledgers earned in each slice: the rollup, and with it what has been recorded since it was added up (`earned`).
SELECT customer_id, CASE WHEN cardinality(%(slice_first_day)s::date[]) = 1 THEN 1 ELSE width_bucket(day, %(slice_first_day)s::date[]) END AS slice, plan_version_id, nullif(feature_id, 0) AS feature_id,
       CASE WHEN feature_id <> 0 THEN model END AS model, CASE WHEN feature_id <> 0 THEN user_key END AS user_key,
       currency, kind, NULL::bigint AS line_id, amount_nano
FROM (
    SELECT customer_id, day, plan_version_id, feature_id, model, user_key, currency, kind, amount_nano
    FROM revenue_day
    WHERE day >= %(first_day)s AND day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
    UNION ALL
    SELECT customer_id, day, plan_version_id, feature_id, model, user_key, currency, kind, amount_nano
    FROM earned
    WHERE day >= %(first_day)s AND day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
) r
