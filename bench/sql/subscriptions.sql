-- Everyone on the same plan since the same instant.
INSERT INTO subscription (customer_id, plan_version_id, anchor, started_at)
SELECT c.id, s.plan_version_id, s.anchor, s.started_at
FROM subscription s, customer c WHERE c.id <> s.customer_id ORDER BY c.id
