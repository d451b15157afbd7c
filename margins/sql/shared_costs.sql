-- What customers bear of lines that are everyone's: each day's part of the calendar month, divided by that day's key,
-- cumulatively in the order of customers, so that the shares sum to the whole. A day on which the key is nought is
-- shared evenly by those on a plan; one on which nobody is, is nobody's. Slices are single days here.
SELECT shared.customer_id, shared.slice, coalesce(on_plan.plan_version_id, 0) AS plan_version_id, NULL::bigint AS feature_id,
       NULL::text AS model, NULL::text AS user_key, shared.currency, NULL::text AS kind, shared.line_id,
       div(shared.amount_nano * shared.upto, shared.whole)
           - div(shared.amount_nano * (shared.upto - shared.weight), shared.whole) AS amount_nano
FROM (
    SELECT *, sum(weight) OVER (PARTITION BY line_id, slice ORDER BY customer_id) AS upto,
           sum(weight) OVER (PARTITION BY line_id, slice) AS whole
    FROM (
        SELECT customer_id, slice, line_id, currency, amount_nano,
               CASE WHEN sum(keyed) OVER (PARTITION BY line_id, slice) > 0 THEN keyed ELSE present END AS weight
        FROM (
            SELECT k.customer_id, slice.number AS slice, line.id AS line_id, line.currency,
                   accrued_between(line.amount_nano, month.starts_at, month.ends_at, slice.starts_at, slice.ends_at) AS amount_nano,
                   coalesce(sum(greatest(k.weight, 0)) FILTER (
                       WHERE k.key = line.shared_by AND (k.currency IS NULL OR k.currency = line.currency)), 0) AS keyed,
                   coalesce(max(k.weight) FILTER (WHERE k.key = 'customers'), 0) AS present
            FROM everyones_key k
            JOIN slice ON slice.number = k.slice
            JOIN line ON line.basis = 'shared'
                     AND line.starts_at <= slice.starts_at AND (line.ends_at IS NULL OR line.ends_at > slice.starts_at)
            CROSS JOIN LATERAL (
                SELECT date_trunc('month', slice.starts_at, 'UTC') AS starts_at,
                       (date_trunc('month', slice.starts_at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC' AS ends_at
            ) month
            GROUP BY k.customer_id, slice.number, slice.starts_at, slice.ends_at, line.id, line.currency, line.amount_nano,
                     month.starts_at, month.ends_at
        ) keyed
    ) weighed
    WHERE weight > 0
) shared
LEFT JOIN LATERAL (
    SELECT s.plan_version_id FROM subscription s JOIN slice ON slice.number = shared.slice
    WHERE s.customer_id = shared.customer_id AND s.started_at < slice.ends_at AND (s.ended_at IS NULL OR s.ended_at > slice.starts_at)
    ORDER BY s.started_at DESC, s.id DESC LIMIT 1
) on_plan ON true
WHERE %(customers)s::bigint[] IS NULL OR shared.customer_id = ANY(%(customers)s::bigint[])
