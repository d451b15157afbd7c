-- What usage.sql added up, of each customer: as it is.
SELECT part.slice, c.currency, part.customer_id, part.plan_version_id, part.feature_id, part.model, part.user_key, cohort.month,
       part.calls, part.memoised_calls, part.unpriced_calls, part.unrated_calls, part.tokens, part.charged_microcredits,
       part.cost_nanousd::text
FROM part
JOIN customer c ON c.id = part.customer_id
LEFT JOIN cohort ON %(by_cohort)s AND cohort.customer_id = part.customer_id
