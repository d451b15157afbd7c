-- The ledgers that have grown since they were added up, and the entries on them that may have earned something, each
-- with how much of its grant was used up once it was written. That is counted back from what the grant has left now:
-- every entry since the mark is at hand, all before it need not be read again.
behind AS MATERIALIZED (
    SELECT b.customer_id, coalesce(m.seq, 0) AS seq
    FROM balance b LEFT JOIN revenue_mark m ON m.customer_id = b.customer_id
    WHERE b.ledger_seq > coalesce(m.seq, 0)
      AND (%(customers)s::bigint[] IS NULL OR b.customer_id = ANY(%(customers)s::bigint[]))
),
unread AS MATERIALIZED (
    SELECT e.*
    FROM behind
    -- OFFSET keeps this one look into the index per customer, however many the planner thinks are behind.
    CROSS JOIN LATERAL (
        SELECT * FROM ledger_entry WHERE customer_id = behind.customer_id AND ledger_entry.seq > behind.seq OFFSET 0
    ) e
),
moved AS (
    SELECT e.customer_id, e.recorded_at, e.effective_at, e.event_digest, e.kind, e.bucket, -e.amount_microcredits AS used,
           g.paid_currency, g.paid * 1000000000 AS paid_nano, g.amount_microcredits::numeric AS granted,
           g.amount_microcredits - g.remaining_microcredits - e.amount_microcredits
               + sum(e.amount_microcredits) OVER (PARTITION BY e.customer_id, e.grant_id ORDER BY e.seq DESC) AS after
    FROM unread e
    JOIN credit_grant g ON g.customer_id = e.customer_id AND g.id = e.grant_id
    WHERE e.bucket = %(posted)s AND e.kind <> %(grant)s AND g.paid > 0 AND g.source NOT IN ('allowance', 'rollover')
    UNION ALL
    SELECT e.customer_id, e.recorded_at, e.effective_at, e.event_digest, e.kind, e.bucket, -e.amount_microcredits,
           NULL, NULL, NULL, NULL
    FROM unread e WHERE e.kind IN (%(overage)s, %(overage_paid)s)
)
