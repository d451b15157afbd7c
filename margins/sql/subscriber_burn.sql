-- What the subscribers of a plan (its versions in force now) used since a day, least cost first: how many there are, and
-- the half-way and the heavy one by nearest rank. Who used nothing is a subscriber too.
WITH subscriber AS (
    SELECT DISTINCT s.customer_id FROM subscription s
    WHERE s.ended_at IS NULL AND s.plan_version_id = ANY(%(versions)s)
), burned AS (
    SELECT s.customer_id, COALESCE(sum(u.charged_microcredits), 0)::bigint AS microcredits,
           COALESCE(sum(CASE %(inference)s WHEN 'computed' THEN u.computed_cost_nanousd ELSE u.cost_nanousd END), 0)::bigint
               AS cost
    FROM subscriber s
    LEFT JOIN usage_day u ON u.customer_id = s.customer_id AND u.day >= %(since)s
        AND u.plan_version_id = ANY(%(versions)s)
    GROUP BY s.customer_id
), ranked AS (
    SELECT microcredits, cost, row_number() OVER (ORDER BY cost, microcredits, customer_id) AS place,
           count(*) OVER () AS subscribers
    FROM burned
)
SELECT subscribers, microcredits, cost FROM ranked
WHERE place IN (ceil(subscribers * 0.50), ceil(subscribers * 0.95))
ORDER BY place
