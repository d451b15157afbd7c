-- What the ledger earned in each slice, entry by entry on its own instant: bought credits when burned (less what was
-- given back) and when expired, at what was paid for their grant; overage at its plan's price
-- (margins/recognition.py: ledger_revenue). Entry kinds come by name from entitlements/core/words.py.
SELECT moved.customer_id, slice.number AS slice,
       coalesce(nullif(event.plan_version_id, 0), in_force.plan_version_id, 0) AS plan_version_id,
       nullif(event.feature_id, 0) AS feature_id, CASE WHEN event.feature_id <> 0 THEN event.model END AS model,
       CASE moved.kind WHEN 'overage' THEN version.overage_price_currency ELSE moved.currency END AS currency,
       moved.kind, NULL::bigint AS line_id,
       CASE moved.kind WHEN 'overage'
           -- microcredits × (price per credit ÷ 10⁶) × 10⁹: exact until the one rounding, half away from zero.
           THEN round(moved.microcredits * version.overage_price * 1000)
           ELSE moved.earned_nano END AS amount_nano
FROM (
    SELECT customer_id, effective_at, event_digest, currency,
           CASE kind WHEN %(expire)s THEN 'breakage' ELSE 'credits' END AS kind,
           NULL::bigint AS microcredits,
           div(paid_nano * after, amount) - div(paid_nano * (after - used), amount) AS earned_nano
    FROM (
        SELECT e.customer_id, e.effective_at, e.event_digest, e.kind, g.paid_currency AS currency,
               g.paid * 1000000000 AS paid_nano, g.amount_microcredits::numeric AS amount,
               -e.amount_microcredits AS used,
               -sum(e.amount_microcredits) OVER (PARTITION BY e.customer_id, e.grant_id ORDER BY e.seq) AS after
        FROM credit_grant g
        JOIN ledger_entry e ON e.customer_id = g.customer_id AND e.grant_id = g.id AND e.kind <> %(grant)s
        WHERE g.paid > 0 AND g.source NOT IN ('allowance', 'rollover')
          AND (%(customers)s::bigint[] IS NULL OR g.customer_id = ANY(%(customers)s::bigint[]))
    ) progress
    WHERE kind IN (%(burn)s, %(refund)s, %(expire)s) AND effective_at >= %(since)s AND effective_at < %(until)s
    UNION ALL
    SELECT customer_id, effective_at, event_digest, NULL, 'overage', -amount_microcredits, NULL
    FROM ledger_entry
    WHERE kind IN (%(overage)s, %(overage_paid)s) AND effective_at >= %(since)s AND effective_at < %(until)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
) moved
JOIN slice ON moved.effective_at >= slice.starts_at AND moved.effective_at < slice.ends_at
LEFT JOIN usage_event event ON event.customer_id = moved.customer_id AND event.key_digest = moved.event_digest
                           AND (%(attribute)s OR moved.kind = 'overage')
LEFT JOIN LATERAL (
    SELECT s.plan_version_id FROM subscription s
    WHERE s.customer_id = moved.customer_id AND s.started_at <= moved.effective_at
      AND (s.ended_at IS NULL OR s.ended_at > moved.effective_at)
    ORDER BY s.started_at DESC LIMIT 1
) in_force ON event.customer_id IS NULL AND (%(attribute)s OR moved.kind = 'overage')
LEFT JOIN plan_version version ON moved.kind = 'overage'
                              AND version.id = coalesce(nullif(event.plan_version_id, 0), in_force.plan_version_id)
WHERE moved.kind <> 'overage' OR version.overage_price IS NOT NULL
