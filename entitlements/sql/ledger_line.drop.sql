DROP VIEW IF EXISTS ledger_line;
