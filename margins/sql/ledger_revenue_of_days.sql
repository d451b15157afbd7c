-- What ledgers earned in each slice: the rollup, and with it what has been recorded since it was added up (`earned`).
SELECT r.customer_id, slice_day.number AS slice, r.plan_version_id, nullif(r.feature_id, 0) AS feature_id,
       CASE WHEN r.feature_id <> 0 THEN r.model END AS model, CASE WHEN r.feature_id <> 0 THEN r.user_key END AS user_key,
       r.currency, r.kind, NULL::bigint AS line_id, r.amount_nano
FROM (
    SELECT customer_id, day, plan_version_id, feature_id, model, user_key, currency, kind, amount_nano
    FROM revenue_day
    WHERE day >= %(first_day)s AND day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
    UNION ALL
    SELECT customer_id, day, plan_version_id, feature_id, model, user_key, currency, kind, amount_nano
    FROM earned WHERE %(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[])
) r
JOIN slice_day ON slice_day.day = r.day
