-- The counters open holds have claims on.
SELECT k.customer_id, k.scope_key, k.limit_key, k.window_start, k.used, k.held, k.warned_percent
FROM limit_counter k
WHERE k.customer_id = ANY(%(ids)s) AND k.held > 0
