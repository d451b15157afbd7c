-- Usage events summed by what decides their price: day, task, model, mode, region, and between which steps of price
-- lists their input lies (margins/savings/spend.py). Counts without a column of their own come from other_usage.
SELECT (occurred_at AT TIME ZONE 'UTC')::date, feature_id, action, provider, model, reported_model, processing, region,
       memoised, width_bucket(input_tokens, %(above)s::int[]), count(*), count(cost_nanousd), coalesce(sum(cost_nanousd), 0),
       {sums}
FROM usage_event
WHERE occurred_at >= %(since)s AND occurred_at < %(until)s
  AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
