-- How many users used each feature; usage that named no user is one user of its customer.
SELECT feature_id, count(*)
FROM (
    SELECT DISTINCT feature_id, customer_id, user_key FROM usage_day WHERE day >= %(start)s AND day < %(end)s
) used
GROUP BY 1
