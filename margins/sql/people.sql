-- Users by what they cost. Usage that named no user counts as one user of its customer.
SELECT u.customer_id, u.user_key, sum(u.calls), sum(u.unpriced_calls), sum(u.charged_microcredits), sum(u.cost_nanousd)
FROM usage_day u
WHERE u.day >= %(start)s AND u.day < %(end)s
GROUP BY 1, 2
