-- Money of bought credits that went back, or returned, in each slice, when it was recorded: with what the ledger gives
-- again for credits that had not been burned (earned.sql), what had been earned and is no longer
-- (margins/recognition.py: reversal_revenue). Of the plan in force then, and of no feature, model or user.
SELECT r.customer_id, width_bucket((r.recorded_at AT TIME ZONE 'UTC')::date, %(slice_first_day)s::date[]) AS slice,
       coalesce(in_force.plan_version_id, 0) AS plan_version_id,
       NULL::bigint AS feature_id, NULL::text AS model, NULL::text AS user_key, r.amount_currency AS currency,
       'reversal' AS kind, NULL::bigint AS line_id, r.amount * 1000000000 AS amount_nano
FROM reversal r
LEFT JOIN LATERAL (
    SELECT s.plan_version_id FROM subscription s
    WHERE s.customer_id = r.customer_id AND s.started_at <= r.recorded_at AND (s.ended_at IS NULL OR s.ended_at > r.recorded_at)
    ORDER BY s.started_at DESC, s.id DESC LIMIT 1
) in_force ON true
WHERE r.recorded_at >= %(since)s AND (r.recorded_at AT TIME ZONE 'UTC')::date < %(end_day)s
  AND (%(customers)s::bigint[] IS NULL OR r.customer_id = ANY(%(customers)s::bigint[]))
