INSERT INTO run SELECT r.* FROM json_populate_recordset(NULL::run, %(rows)s::json) r
