-- What usage.sql added up, of each customer: as it is. Whoever asks for customers knows what they are billed in.
SELECT part.slice, NULL::text, part.customer_id, part.plan_version_id, part.feature_id, part.model, part.user_key, cohort.month,
       part.calls, part.memoised_calls, part.unpriced_calls, part.unrated_calls, part.tokens, part.charged_microcredits,
       part.cost_nanousd::text
FROM part
LEFT JOIN cohort ON %(by_cohort)s AND cohort.customer_id = part.customer_id
