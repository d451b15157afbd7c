-- What some customers had used before a day, from the daily sums.
SELECT customer_id, feature_id, model, user_key, sum(calls)::bigint, sum(charged_microcredits)::bigint,
       sum(cost_nanousd)::bigint, sum(input_tokens + output_tokens)::bigint
FROM usage_day
WHERE customer_id = ANY(%(customers)s) AND day < %(day)s
GROUP BY 1, 2, 3, 4
