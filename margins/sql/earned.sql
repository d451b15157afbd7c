-- What moved entries earned, on the day of their own instant (margins/recognition.py: ledger_revenue): bought credits
-- burned (less what was given back) or expired, at what was paid for their grant; what credits taken back for money that
-- went back were worth, which had not been earned (the money itself: reversal_revenue.sql); overage at the price of the
-- plan it was used on, less what a later grant paid. Entry kinds come by name from entitlements/core/words.py.
-- Whose it is, its event says; without one it is of the plan in force at its time, and of no feature, model or user.
placed AS (
    SELECT moved.*, (moved.effective_at AT TIME ZONE 'UTC')::date AS day,
           coalesce(nullif(coalesce(event.plan_version_id, place.plan_version_id), 0), in_force.plan_version_id, 0)
               AS plan_version_id,
           coalesce(event.feature_id, place.feature_id, 0) AS feature_id,
           coalesce(event.model, place.model, '') AS model, coalesce(event.user_key, place.user_key, '') AS user_key,
           -- An expiry written late was never missing: reports let what is due happen first.
           moved.kind <> %(expire)s AND moved.recorded_at >= date_trunc('day', moved.effective_at, 'UTC') + interval '24 hours'
               AS is_late
    FROM moved
    LEFT JOIN usage_event event ON event.customer_id = moved.customer_id AND event.key_digest = moved.event_digest
    LEFT JOIN archived_place place ON place.customer_id = moved.customer_id AND place.key_digest = moved.event_digest
    LEFT JOIN LATERAL (
        SELECT s.plan_version_id FROM subscription s
        WHERE coalesce(event.plan_version_id, place.plan_version_id, 0) = 0 AND s.customer_id = moved.customer_id
          AND s.started_at <= moved.effective_at AND (s.ended_at IS NULL OR s.ended_at > moved.effective_at)
        ORDER BY s.started_at DESC, s.id DESC LIMIT 1
    ) in_force ON true
),
earned AS (
    SELECT placed.customer_id, placed.day, placed.plan_version_id, placed.feature_id,
           CASE WHEN placed.feature_id <> 0 THEN placed.model ELSE '' END AS model,
           CASE WHEN placed.feature_id <> 0 THEN placed.user_key ELSE '' END AS user_key,
           credits_kind.word AS kind, placed.paid_currency AS currency, placed.recorded_at, placed.is_late,
           div(paid_nano * after, granted) - div(paid_nano * (after - used), granted) AS amount_nano
    FROM placed
    CROSS JOIN LATERAL (
        SELECT CASE WHEN placed.kind IN (%(burn)s, %(refund)s) THEN 'credits' WHEN placed.kind = %(expire)s THEN 'breakage'
                    WHEN placed.kind IN (%(reversal)s, %(restored)s) THEN 'reversal' END
    ) AS credits_kind (word)
    WHERE placed.bucket = %(posted)s AND credits_kind.word IS NOT NULL
    UNION ALL
    SELECT placed.customer_id, placed.day, placed.plan_version_id, placed.feature_id,
           CASE WHEN placed.feature_id <> 0 THEN placed.model ELSE '' END,
           CASE WHEN placed.feature_id <> 0 THEN placed.user_key ELSE '' END,
           'overage', version.overage_price_currency, placed.recorded_at, placed.is_late,
           -- microcredits × price per credit ÷ 10⁶ × 10⁹: exact until the one rounding, half away from zero.
           round(placed.used * version.overage_price * 1000)
    FROM placed
    JOIN plan_version version ON version.id = placed.plan_version_id AND version.overage_price IS NOT NULL
    WHERE placed.bucket = %(overage_bucket)s
)
