-- What lines per customer and calendar month come to in each slice, for the UTC days on which the customer has a
-- subscription in force; a day on which plans changed belongs to the later one (margins/recognition.py: customer_cost).
SELECT stay.customer_id, slice.number AS slice, stay.plan_version_id, NULL::bigint AS feature_id, NULL::text AS model,
       line.currency, NULL::text AS kind, line.id AS line_id,
       accrued_between(line.amount_nano, month.starts_at, month.ends_at,
                       greatest(slice.starts_at, stay.starts_at), least(slice.ends_at, stay.ends_at)) AS amount_nano
FROM (
    SELECT customer_id, plan_version_id,
           date_trunc('day', started_at, 'UTC') AS starts_at,
           least(
               date_trunc('day', ended_at - interval '1 microsecond', 'UTC') + interval '24 hours',
               lead(date_trunc('day', started_at, 'UTC')) OVER (PARTITION BY customer_id ORDER BY started_at, id)
           ) AS ends_at
    FROM subscription
    WHERE (ended_at IS NULL OR ended_at > started_at)
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
) stay
JOIN plan_version v ON v.id = stay.plan_version_id
JOIN slice ON slice.starts_at < coalesce(stay.ends_at, 'infinity') AND slice.ends_at > stay.starts_at
JOIN (
    SELECT month AT TIME ZONE 'UTC' AS starts_at, (month + interval '1 month') AT TIME ZONE 'UTC' AS ends_at
    FROM generate_series(date_trunc('month', %(since)s AT TIME ZONE 'UTC'), %(until)s AT TIME ZONE 'UTC', '1 month') AS month
) month ON month.starts_at < least(slice.ends_at, stay.ends_at) AND month.ends_at > greatest(slice.starts_at, stay.starts_at)
JOIN unnest(
    %(line_id)s::bigint[], %(line_amount_nano)s::numeric[], %(line_currency)s::text[], %(line_starts_at)s::timestamptz[],
    %(line_ends_at)s::timestamptz[], %(line_customer_id)s::bigint[], %(line_plan_id)s::bigint[]
) AS line (id, amount_nano, currency, starts_at, ends_at, customer_id, plan_id)
  ON line.starts_at <= slice.starts_at AND (line.ends_at IS NULL OR line.ends_at > slice.starts_at)
 AND (line.customer_id IS NULL OR line.customer_id = stay.customer_id)
 AND (line.plan_id IS NULL OR line.plan_id = v.plan_id)
