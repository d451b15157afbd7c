-- Debt and overage as they stood at an instant by the ledger's own times.
SELECT customer_id, GREATEST(0, -COALESCE(sum(amount_microcredits) FILTER (WHERE bucket = %(debt)s), 0))::bigint,
       GREATEST(0, -COALESCE(sum(amount_microcredits) FILTER (WHERE bucket = %(overage)s), 0))::bigint
FROM ledger_entry
WHERE customer_id = ANY(%(customers)s) AND bucket IN (%(debt)s, %(overage)s) AND effective_at < %(since)s
GROUP BY 1
