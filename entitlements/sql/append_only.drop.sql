DROP TRIGGER IF EXISTS ledger_is_append_only ON ledger_entry;
DROP TRIGGER IF EXISTS ledger_is_not_truncated ON ledger_entry;
