-- Whom a simulation is about, in the order of ids, with how many calls they made on these days.
SELECT c.id, COALESCE(u.calls, 0)::bigint
FROM customer c
LEFT JOIN (
    SELECT customer_id, sum(calls) AS calls FROM usage_day WHERE day >= %(first_day)s AND day < %(end_day)s GROUP BY 1
) u ON u.customer_id = c.id
WHERE (NOT %(some)s OR c.key = ANY(%(keys)s)) AND c.created_at < %(until)s
ORDER BY c.id
