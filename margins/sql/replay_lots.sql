-- Grants that counted in a period or before it, with what was left of each at its start by the ledger's own times: the
-- bought and given ones that were open or came, and the plan's that had begun.
SELECT g.customer_id, g.id, g.source, g.priority, g.amount_microcredits,
       (g.amount_microcredits + COALESCE(moved.before, 0))::bigint, COALESCE(moved.burned, 0)::bigint, g.effective_at,
       g.expires_at, g.created_at, g.subscription_id, (g.paid * 1000000000)::bigint, g.paid_currency
FROM credit_grant g
LEFT JOIN LATERAL (
    SELECT sum(e.amount_microcredits) AS before,
           -sum(e.amount_microcredits) FILTER (WHERE e.kind = %(burn)s) AS burned
    FROM ledger_entry e
    WHERE e.customer_id = g.customer_id AND e.grant_id = g.id AND e.kind <> %(grant)s AND e.bucket = %(posted)s
      AND e.effective_at < %(since)s
) moved ON true
WHERE g.customer_id = ANY(%(customers)s) AND g.effective_at < %(until)s
  AND CASE WHEN g.source IN ('allowance', 'rollover')
           THEN g.effective_at < %(since)s AND g.effective_at >= %(since)s - interval '366 days'
           ELSE g.closed_at IS NULL OR g.closed_at >= %(since)s - interval '1 hour' END
ORDER BY g.customer_id, g.created_at, g.id
