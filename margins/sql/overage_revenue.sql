-- What overage earned in each slice, on the instant of its usage: credits at the overage price of the plan it was used
-- on, less what a later grant paid (margins/recognition.py: overage_revenue). Without a price it earns nothing.
SELECT e.customer_id, slice_day.number AS slice, version.id AS plan_version_id,
       nullif(event.feature_id, 0) AS feature_id, CASE WHEN event.feature_id <> 0 THEN event.model END AS model,
       version.overage_price_currency AS currency, 'overage' AS kind, NULL::bigint AS line_id,
       -- microcredits × price per credit ÷ 10⁶ × 10⁹: exact until the one rounding, half away from zero.
       round(-e.amount_microcredits * version.overage_price * 1000) AS amount_nano
FROM ledger_entry e
JOIN slice_day ON slice_day.day = (e.effective_at AT TIME ZONE 'UTC')::date
LEFT JOIN usage_event event ON event.customer_id = e.customer_id AND event.key_digest = e.event_digest
LEFT JOIN LATERAL (
    SELECT s.plan_version_id FROM subscription s
    WHERE coalesce(event.plan_version_id, 0) = 0 AND s.customer_id = e.customer_id
      AND s.started_at <= e.effective_at AND (s.ended_at IS NULL OR s.ended_at > e.effective_at)
    ORDER BY s.started_at DESC LIMIT 1
) in_force ON true
JOIN plan_version version ON version.id = coalesce(nullif(event.plan_version_id, 0), in_force.plan_version_id)
                         AND version.overage_price IS NOT NULL
WHERE e.kind IN (%(overage)s, %(overage_paid)s) AND e.effective_at >= %(since)s AND e.effective_at < %(until)s
  AND (%(customers)s::bigint[] IS NULL OR e.customer_id = ANY(%(customers)s::bigint[]))
