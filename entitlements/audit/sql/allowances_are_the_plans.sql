-- Who is on a plan that includes credits has this period's allowance, as much as the plan says, and it ends when the
-- next is due. The first after a change of plans is less by what the period had used before, and may be nothing.
SELECT b.customer_id,
       CASE WHEN (b.allowance_end IS NOT NULL) <> (p.allowance_renewal <> 'never' AND p.included_microcredits > 0)
            THEN concat('the next allowance is due ', COALESCE(b.allowance_end::text, 'never'), ', the plan renews ',
                        p.included_microcredits, ' every ', p.allowance_renewal)
            WHEN p.included_microcredits > 0 AND g.id IS NULL AND NOT (changed.plans AND NOT changed.has_allowance)
            THEN concat('lacks the allowance of ', p.included_microcredits, ' until ', b.allowance_end)
       END AS fault
FROM balance b
JOIN plan_version p ON p.id = b.plan_version_id
JOIN subscription s ON s.id = b.subscription_id
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM subscription former WHERE former.customer_id = b.customer_id AND former.id <> s.id
                   AND former.started_at <= s.started_at) AS plans,
           EXISTS (SELECT FROM credit_grant any_of_it WHERE any_of_it.customer_id = b.customer_id
                   AND any_of_it.subscription_id = s.id AND any_of_it.source = 'allowance') AS has_allowance
) changed
LEFT JOIN credit_grant g ON g.customer_id = b.customer_id AND g.subscription_id = b.subscription_id
    AND g.source = 'allowance' AND g.expires_at IS NOT DISTINCT FROM b.allowance_end
    AND (g.amount_microcredits = p.included_microcredits OR changed.plans
         AND g.amount_microcredits < p.included_microcredits AND g.effective_at = s.started_at)
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
