SELECT g.customer_id, g.id, g.source, g.priority, g.amount_microcredits, g.remaining_microcredits, g.effective_at,
       g.expires_at, g.created_at, g.activated_at, g.subscription_id, g.closed_at, g.voided_at
FROM credit_grant g JOIN customer c ON c.id = g.customer_id
WHERE (c.key = ANY(%(keys)s) OR c.id = ANY(%(ids)s)) AND g.closed_at IS NULL
