-- What lines per customer, or seat, and calendar month come to in each slice, for the UTC days on which the customer has a
-- subscription in force; a day on which plans changed belongs to the later one (margins/recognition.py: customer_cost).
WITH month AS (
    SELECT first AT TIME ZONE 'UTC' AS starts_at, (first + interval '1 month') AT TIME ZONE 'UTC' AS ends_at
    FROM generate_series(date_trunc('month', %(since)s AT TIME ZONE 'UTC'), %(until)s AT TIME ZONE 'UTC', '1 month') AS first
),
-- Slices of one month under one line: few, so that customers are met by a handful of stretches.
stretch AS MATERIALIZED (
    SELECT slice.number, line.id, line.amount_nano, line.currency, line.customer_id, line.plan_id,
           month.starts_at AS month_starts_at, month.ends_at AS month_ends_at,
           greatest(slice.starts_at, month.starts_at) AS starts_at, least(slice.ends_at, month.ends_at) AS ends_at
    FROM slice
    JOIN line ON line.basis IN ('per_customer', 'per_seat')
             AND line.starts_at <= slice.starts_at AND (line.ends_at IS NULL OR line.ends_at > slice.starts_at)
    JOIN month ON month.starts_at < slice.ends_at AND month.ends_at > slice.starts_at
),
stay AS MATERIALIZED (
    SELECT s.customer_id, s.plan_version_id, v.plan_id,
           date_trunc('day', s.started_at, 'UTC') AS starts_at,
           coalesce(least(
               date_trunc('day', s.ended_at - interval '1 microsecond', 'UTC') + interval '24 hours',
               lead(date_trunc('day', s.started_at, 'UTC')) OVER (PARTITION BY s.customer_id ORDER BY s.started_at, s.id)
           ), 'infinity') AS ends_at
    FROM subscription s JOIN plan_version v ON v.id = s.plan_version_id
    WHERE (s.ended_at IS NULL OR s.ended_at > s.started_at)
      AND (%(customers)s::bigint[] IS NULL OR s.customer_id = ANY(%(customers)s::bigint[]))
)
SELECT stay.customer_id, stretch.number AS slice, stay.plan_version_id, NULL::bigint AS feature_id, NULL::text AS model,
       NULL::text AS user_key, stretch.currency, NULL::text AS kind, stretch.id AS line_id,
       accrued_between(stretch.amount_nano, stretch.month_starts_at, stretch.month_ends_at,
                       greatest(stretch.starts_at, stay.starts_at), least(stretch.ends_at, stay.ends_at)) AS amount_nano
FROM stay
JOIN stretch ON stretch.starts_at < stay.ends_at AND stretch.ends_at > stay.starts_at
            AND (stretch.customer_id IS NULL OR stretch.customer_id = stay.customer_id)
            AND (stretch.plan_id IS NULL OR stretch.plan_id = stay.plan_id)
