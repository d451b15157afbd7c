INSERT INTO ledger_entry SELECT r.* FROM json_populate_recordset(NULL::ledger_entry, %(rows)s::json) r
