-- The runs a batch names by key or id, those of the holds it names, and the runs around all of these.
WITH named AS (
    SELECT r.customer_id, r.id, r.ancestors
    FROM run r JOIN customer c ON c.id = r.customer_id
    WHERE (c.key = ANY(%(keys)s) OR c.id = ANY(%(ids)s))
      AND (r.key_digest = ANY(%(run_digests)s) OR r.id = ANY(%(run_ids)s))
    UNION
    SELECT r.customer_id, r.id, r.ancestors
    FROM hold h JOIN run r ON r.customer_id = h.customer_id AND r.id = h.run_id
    JOIN customer c ON c.id = h.customer_id
    WHERE (c.key = ANY(%(keys)s) OR c.id = ANY(%(ids)s)) AND h.id = ANY(%(hold_ids)s)
)
SELECT DISTINCT r.customer_id, r.id, r.key, r.key_digest, r.body_digest, r.ancestors, r.status, r.user_key, r.max_steps,
       r.max_microcredits, r.max_cost_nanousd, r.max_depth, r.deadline, r.steps, r.held_steps, r.charged_microcredits,
       r.held_microcredits, r.cost_nanousd, r.opened_at, r.closed_at
FROM named n JOIN run r ON r.customer_id = n.customer_id AND (r.id = n.id OR r.id = ANY(n.ancestors))
