-- Usage events summed by what decides their price: day, task, model, mode, region, and between which steps of price
-- lists their input lies (margins/savings/spend.py). What re-ratings moved is added to what was stamped. Counts without
-- a column of their own come from other_usage.
WITH moved AS (
    SELECT customer_id, key_digest, sum(delta_nanousd) AS delta, sum(priced) AS priced
    FROM cost_adjustment
    WHERE occurred_at >= %(since)s AND occurred_at < %(until)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
    GROUP BY 1, 2
)
SELECT (e.occurred_at AT TIME ZONE 'UTC')::date, e.feature_id, e.action, e.provider, e.model, e.reported_model,
       e.processing, e.region, e.memoised, width_bucket(e.input_tokens, %(above)s::int[]), count(*),
       count(e.cost_nanousd) + coalesce(sum(moved.priced), 0),
       coalesce(sum(e.cost_nanousd), 0) + coalesce(sum(moved.delta), 0),
       {sums}
FROM usage_event e
LEFT JOIN moved ON moved.customer_id = e.customer_id AND moved.key_digest = e.key_digest
WHERE e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
  AND (%(customers)s::bigint[] IS NULL OR e.customer_id = ANY(%(customers)s::bigint[]))
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
