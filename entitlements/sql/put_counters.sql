INSERT INTO limit_counter (customer_id, scope_key, limit_key, window_start, used, held, warned_percent)
SELECT * FROM unnest(
    %(customer_id)s::bigint[], %(scope_key)s::text[], %(limit_key)s::text[], %(window_start)s::timestamptz[],
    %(used)s::bigint[], %(held)s::bigint[], %(warned_percent)s::smallint[]
)
ON CONFLICT (customer_id, scope_key, limit_key) DO UPDATE SET
    window_start = excluded.window_start, used = excluded.used, held = excluded.held,
    warned_percent = excluded.warned_percent
