-- Every open run of some customers. What lies around an open run is open too.
SELECT r.customer_id, r.id, r.key, r.key_digest, r.body_digest, r.ancestors, r.status, r.user_key, r.max_steps,
       r.max_microcredits, r.max_cost_nanousd, r.max_depth, r.deadline, r.steps, r.held_steps, r.charged_microcredits,
       r.held_microcredits, r.cost_nanousd, r.opened_at, r.closed_at
FROM run r
WHERE r.customer_id = ANY(%(ids)s) AND r.closed_at IS NULL
