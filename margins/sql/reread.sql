-- Every entry the marks have passed that may have earned something, each with how much of its grant was used up once
-- it was written, counted on from the grant's first entry: a recount that shares nothing with how unread.sql counts.
moved AS (
    SELECT e.customer_id, e.recorded_at, e.effective_at, e.event_digest, e.kind, e.bucket, -e.amount_microcredits AS used,
           g.paid_currency, g.paid * 1000000000 AS paid_nano, g.amount_microcredits::numeric AS granted,
           -sum(e.amount_microcredits) OVER (PARTITION BY e.customer_id, e.grant_id ORDER BY e.seq) AS after
    FROM revenue_mark m
    JOIN credit_grant g ON g.customer_id = m.customer_id
    JOIN ledger_entry e ON e.customer_id = m.customer_id AND e.grant_id = g.id AND e.seq <= m.seq
    WHERE e.bucket = %(posted)s AND e.kind <> %(grant)s AND g.paid > 0 AND g.source NOT IN ('allowance', 'rollover')
      AND (%(customers)s::bigint[] IS NULL OR m.customer_id = ANY(%(customers)s::bigint[]))
    UNION ALL
    SELECT e.customer_id, e.recorded_at, e.effective_at, e.event_digest, e.kind, e.bucket, -e.amount_microcredits,
           NULL, NULL, NULL, NULL
    FROM revenue_mark m JOIN ledger_entry e ON e.customer_id = m.customer_id AND e.seq <= m.seq
    WHERE e.kind IN (%(overage)s, %(overage_paid)s)
      AND (%(customers)s::bigint[] IS NULL OR m.customer_id = ANY(%(customers)s::bigint[]))
)
