-- Debt and overage are owed: their entries are negative, the balance's parts are not.
SELECT b.customer_id,
       CASE WHEN b.posted_microcredits <> COALESCE(l.posted, 0)
            THEN concat('posted is ', b.posted_microcredits, ', its entries sum to ', COALESCE(l.posted, 0))
            WHEN b.debt_microcredits <> COALESCE(-l.debt, 0)
            THEN concat('debt is ', b.debt_microcredits, ', its entries sum to ', COALESCE(l.debt, 0))
            WHEN b.overage_microcredits <> COALESCE(-l.overage, 0)
            THEN concat('overage is ', b.overage_microcredits, ', its entries sum to ', COALESCE(l.overage, 0))
       END AS fault
FROM balance b
LEFT JOIN (SELECT customer_id, sum(amount_microcredits) FILTER (WHERE bucket = 1) AS posted,
                  sum(amount_microcredits) FILTER (WHERE bucket = 2) AS debt,
                  sum(amount_microcredits) FILTER (WHERE bucket = 3) AS overage
           FROM ledger_entry WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
           GROUP BY customer_id) l USING (customer_id)
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
