-- Every open hold of some customers: of accounts that are due, or whose runs are to be closed.
SELECT h.customer_id, h.id, h.key, h.key_digest, h.body_digest, h.status, h.held_microcredits, h.settled_microcredits,
       h.steps, h.feature_id, h.model, h.user_key, h.run_id, h.runs, h.claims::text, h.is_lease, h.answer::text, h.placed_at,
       h.expires_at, h.closed_at
FROM hold h
WHERE h.customer_id = ANY(%(ids)s) AND h.closed_at IS NULL
