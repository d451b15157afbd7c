-- What usage.sql added up, of all customers billed in a currency together; those that cost lines name are kept apart.
SELECT part.slice, c.currency, CASE WHEN part.customer_id = ANY(%(named_customers)s::bigint[]) THEN part.customer_id END,
       part.plan_version_id, part.feature_id, part.model, part.user_key, cohort.month,
       sum(part.calls)::bigint, sum(part.memoised_calls)::bigint, sum(part.unpriced_calls)::bigint, sum(part.unrated_calls)::bigint,
       sum(part.tokens)::bigint, sum(part.charged_microcredits)::bigint, sum(part.cost_nanousd)::text
FROM part
JOIN customer c ON c.id = part.customer_id
LEFT JOIN cohort ON %(by_cohort)s AND cohort.customer_id = part.customer_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
