-- ledger_entry for the admin, which needs a single-column key: customer_id-seq.
CREATE OR REPLACE VIEW ledger_line AS
SELECT customer_id || '-' || seq AS id, customer_id, seq, recorded_at, effective_at, kind, bucket,
       amount_microcredits, grant_id, event_digest
FROM ledger_entry;
