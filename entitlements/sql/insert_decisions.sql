INSERT INTO decision SELECT r.* FROM json_populate_recordset(NULL::decision, %(rows)s::json) r
