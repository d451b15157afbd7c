INSERT INTO limit_counter SELECT r.* FROM json_populate_recordset(NULL::limit_counter, %(rows)s::json) r
ON CONFLICT (customer_id, scope_key, limit_key) DO UPDATE SET
    window_start = excluded.window_start, used = excluded.used, held = excluded.held,
    warned_percent = excluded.warned_percent
