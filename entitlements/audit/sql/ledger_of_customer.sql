-- A customer's entries in their order, in the column order of entitlements.core.account.LedgerRow.
SELECT customer_id, seq, recorded_at, effective_at, kind, bucket, amount_microcredits, grant_id, event_digest
FROM ledger_entry
WHERE customer_id = %(customer_id)s
ORDER BY seq
