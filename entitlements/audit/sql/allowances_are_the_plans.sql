-- Who is on a plan that includes credits has this period's allowance, as much as the plan says, and it ends when the
-- next is due.
SELECT b.customer_id,
       CASE WHEN (b.allowance_end IS NOT NULL) <> (p.allowance_renewal <> 'never' AND p.included_microcredits > 0)
            THEN concat('the next allowance is due ', COALESCE(b.allowance_end::text, 'never'), ', the plan renews ',
                        p.included_microcredits, ' every ', p.allowance_renewal)
            WHEN p.included_microcredits > 0 AND g.id IS NULL
            THEN concat('lacks the allowance of ', p.included_microcredits, ' until ', b.allowance_end)
       END AS fault
FROM balance b
JOIN plan_version p ON p.id = b.plan_version_id
LEFT JOIN credit_grant g ON g.customer_id = b.customer_id AND g.subscription_id = b.subscription_id
    AND g.source = 'allowance' AND g.amount_microcredits = p.included_microcredits
    AND g.expires_at IS NOT DISTINCT FROM b.allowance_end
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
