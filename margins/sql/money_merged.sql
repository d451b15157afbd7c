-- What money.sql added up, of all customers billed in a currency together, without what came to nothing; those that
-- cost lines name are kept apart. Revenue is whole nano-units, whatever places its sources carry.
SELECT part.slice, c.currency, CASE WHEN part.customer_id = ANY(%(named_customers)s::bigint[]) THEN part.customer_id END,
       part.plan_version_id, part.feature_id, part.model, part.user_key, cohort.month,
       part.currency, part.line_id, sum(part.cost_nano), trunc(sum(part.subscription_nano))::text,
       trunc(sum(part.credits_nano))::text, trunc(sum(part.breakage_nano))::text,
       trunc(sum(part.overage_nano))::text, trunc(sum(part.reversal_nano))::text
FROM part
JOIN customer c ON c.id = part.customer_id
LEFT JOIN cohort ON %(by_cohort)s AND cohort.customer_id = part.customer_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
HAVING sum(part.cost_nano) <> 0 OR sum(part.subscription_nano) <> 0 OR sum(part.credits_nano) <> 0
    OR sum(part.breakage_nano) <> 0 OR sum(part.overage_nano) <> 0 OR sum(part.reversal_nano) <> 0
