INSERT INTO credit_grant SELECT r.* FROM json_populate_recordset(NULL::credit_grant, %(rows)s::json) r
