-- What money.sql added up, of each customer: as it is, without what came to nothing. Whoever asks for customers knows
-- what they are billed in. Revenue is whole nano-units, whatever places its sources carry.
SELECT part.slice, NULL::text, part.customer_id, part.plan_version_id, part.feature_id, part.model, part.user_key, cohort.month,
       part.currency, part.line_id, part.cost_nano, trunc(part.subscription_nano)::text, trunc(part.credits_nano)::text,
       trunc(part.breakage_nano)::text, trunc(part.overage_nano)::text, trunc(part.reversal_nano)::text
FROM part
LEFT JOIN cohort ON %(by_cohort)s AND cohort.customer_id = part.customer_id
WHERE part.cost_nano <> 0 OR part.subscription_nano <> 0 OR part.credits_nano <> 0 OR part.breakage_nano <> 0
   OR part.overage_nano <> 0 OR part.reversal_nano <> 0
