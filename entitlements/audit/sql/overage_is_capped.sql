SELECT b.customer_id,
       CASE WHEN b.overage_microcredits > 0 AND p.id IS NULL
            THEN concat('has ', b.overage_microcredits, ' of overage and no plan that allows it')
            WHEN b.overage_microcredits > p.spend_cap_microcredits
            THEN concat('has ', b.overage_microcredits, ' of overage under a cap of ', p.spend_cap_microcredits)
       END AS fault
FROM balance b
LEFT JOIN plan_version p ON p.id = b.plan_version_id
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
