-- The ledger only grows (refuse_change comes with metering/sql/append_only).

CREATE OR REPLACE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER ledger_is_not_truncated BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The balance row is updated by every spend: room on the page keeps those updates HOT.
ALTER TABLE balance SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE credit_grant SET (fillfactor = 70);
