-- The limit counters of the customers themselves, of the users and runs a batch names, and of the holds it names.
SELECT k.customer_id, k.scope_key, k.limit_key, k.window_start, k.used, k.held, k.warned_percent
FROM limit_counter k JOIN customer c ON c.id = k.customer_id
WHERE (c.key = ANY(%(keys)s) OR c.id = ANY(%(ids)s))
  AND (k.scope_key = ANY(%(scope_keys)s)
       OR k.scope_key IN (
           SELECT unnest(ARRAY['user:' || h.user_key, 'run:' || h.run_id]) FROM hold h
           WHERE h.customer_id = k.customer_id AND h.id = ANY(%(hold_ids)s)))
