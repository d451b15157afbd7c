-- The holds a batch names, by id or key.
SELECT h.customer_id, h.id, h.key, h.key_digest, h.body_digest, h.status, h.held_microcredits, h.settled_microcredits,
       h.steps, h.feature_id, h.model, h.user_key, h.run_id, h.runs, h.claims::text, h.is_lease, h.answer::text, h.placed_at,
       h.expires_at, h.closed_at
FROM hold h JOIN customer c ON c.id = h.customer_id
WHERE (c.key = ANY(%(keys)s) OR c.id = ANY(%(ids)s))
  AND (h.id = ANY(%(hold_ids)s) OR h.key_digest = ANY(%(hold_digests)s))
