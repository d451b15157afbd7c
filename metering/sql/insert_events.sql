INSERT INTO usage_event SELECT r.* FROM json_populate_recordset(NULL::usage_event, %(rows)s::json) r
