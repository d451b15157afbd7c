-- What lines per payment come to on the day of each: so much, in the line's currency, and a share, in the payment's.
-- `bill` is what customers were asked to pay (bills.sql).
SELECT bill.customer_id, slice.number AS slice, coalesce(in_force.plan_version_id, 0) AS plan_version_id,
       NULL::bigint AS feature_id, NULL::text AS model, NULL::text AS user_key, part.currency, NULL::text AS kind,
       line.id AS line_id, part.amount_nano
FROM bill
JOIN slice_day ON slice_day.day = (bill.at AT TIME ZONE 'UTC')::date
JOIN slice ON slice.number = slice_day.number
LEFT JOIN LATERAL (
    SELECT s.plan_version_id, v.plan_id FROM subscription s JOIN plan_version v ON v.id = s.plan_version_id
    WHERE s.customer_id = bill.customer_id AND s.started_at <= bill.at AND (s.ended_at IS NULL OR s.ended_at > bill.at)
    ORDER BY s.started_at DESC, s.id DESC LIMIT 1
) in_force ON true
JOIN line ON line.basis = 'per_payment'
         AND line.starts_at <= slice.starts_at AND (line.ends_at IS NULL OR line.ends_at > slice.starts_at)
         AND (line.customer_id IS NULL OR line.customer_id = bill.customer_id)
         AND (line.plan_id IS NULL OR line.plan_id = in_force.plan_id)
CROSS JOIN LATERAL (VALUES
    (line.currency, line.amount_nano),
    (bill.currency, trunc(bill.amount_nano * line.percent_e4 * 0.000001, 6))
) AS part (currency, amount_nano)
WHERE bill.kind <> 'refunds' AND bill.amount_nano > 0 AND part.amount_nano <> 0
  AND bill.at >= %(since)s AND bill.at < %(until)s
  AND (%(customers)s::bigint[] IS NULL OR bill.customer_id = ANY(%(customers)s::bigint[]))
