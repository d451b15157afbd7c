-- The customers of the margin bench, all on the one plan since the month began. A trigger gives each a balance.
WITH made AS (
    INSERT INTO customer (key, name, email, currency, time_zone, tags, created_at)
    SELECT 'm' || lpad(number::text, 7, '0'), '', '', 'USD', 'UTC', '{}', %(start)s FROM generate_series(1, %(customers)s) AS number
    RETURNING id
)
INSERT INTO subscription (customer_id, plan_version_id, anchor, started_at)
SELECT id, (SELECT id FROM plan_version), %(start)s, %(start)s FROM made
