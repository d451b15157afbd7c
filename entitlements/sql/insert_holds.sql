INSERT INTO hold SELECT r.* FROM json_populate_recordset(NULL::hold, %(rows)s::json) r
