-- What bought credits earned in each slice, entry by entry on its own instant: burned (less what was given back) and
-- expired, at what was paid for their grant (margins/recognition.py: ledger_revenue). Entry kinds come by name from
-- entitlements/core/words.py. `after` is how much of the grant was used up once the entry was written.
SELECT moved.customer_id, slice_day.number AS slice,
       coalesce(nullif(event.plan_version_id, 0), in_force.plan_version_id, 0) AS plan_version_id,
       nullif(event.feature_id, 0) AS feature_id, CASE WHEN event.feature_id <> 0 THEN event.model END AS model,
       moved.currency, CASE moved.kind WHEN %(expire)s THEN 'breakage' ELSE 'credits' END AS kind, NULL::bigint AS line_id,
       div(paid_nano * after, amount) - div(paid_nano * (after - used), amount) AS amount_nano
FROM (
    SELECT e.customer_id, e.effective_at, e.event_digest, e.kind, g.paid_currency AS currency,
           g.paid * 1000000000 AS paid_nano, g.amount_microcredits::numeric AS amount,
           -e.amount_microcredits AS used,
           -sum(e.amount_microcredits) OVER (PARTITION BY e.customer_id, e.grant_id ORDER BY e.seq) AS after
    FROM credit_grant g
    JOIN ledger_entry e ON e.customer_id = g.customer_id AND e.grant_id = g.id AND e.kind <> %(grant)s
    WHERE g.paid > 0 AND g.source NOT IN ('allowance', 'rollover')
      AND (%(customers)s::bigint[] IS NULL OR g.customer_id = ANY(%(customers)s::bigint[]))
) moved
JOIN slice_day ON slice_day.day = (moved.effective_at AT TIME ZONE 'UTC')::date
LEFT JOIN usage_event event
    ON %(attribute)s AND event.customer_id = moved.customer_id AND event.key_digest = moved.event_digest
LEFT JOIN LATERAL (
    SELECT s.plan_version_id FROM subscription s
    WHERE %(attribute)s AND event.customer_id IS NULL AND s.customer_id = moved.customer_id
      AND s.started_at <= moved.effective_at AND (s.ended_at IS NULL OR s.ended_at > moved.effective_at)
    ORDER BY s.started_at DESC LIMIT 1
) in_force ON true
WHERE moved.kind IN (%(burn)s, %(refund)s, %(expire)s)
  AND moved.effective_at >= %(since)s AND moved.effective_at < %(until)s
