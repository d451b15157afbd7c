-- The same for slices of whole calendar months, each of which stands for its first day.
SELECT r.customer_id, slice_day.number AS slice, r.plan_version_id, NULL::bigint AS feature_id, NULL::text AS model,
       NULL::text AS user_key, r.currency, r.kind, NULL::bigint AS line_id, r.amount_nano
FROM (
    SELECT customer_id, month AS day, plan_version_id, currency, kind, amount_nano
    FROM revenue_month
    WHERE month >= %(first_day)s AND month < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
    UNION ALL
    SELECT customer_id, day, plan_version_id, currency, kind, amount_nano
    FROM earned WHERE %(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[])
) r
JOIN slice_day ON slice_day.day = r.day
