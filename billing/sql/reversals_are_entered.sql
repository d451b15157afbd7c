-- What refunds and disputes took from a grant, and gave back, is what the ledger says, and never more than was paid.
SELECT r.customer_id,
       CASE WHEN r.moved <> COALESCE(l.moved, 0)
            THEN concat('reversals of grant ', r.grant_id, ' come to ', r.moved, ', its entries to ', COALESCE(l.moved, 0))
            WHEN r.moved > 0 THEN concat('grant ', r.grant_id, ' was given back ', r.moved, ' more than was taken')
            WHEN r.money > 0 OR (p.grant_id = r.grant_id AND -r.money > p.net)
            THEN concat('of payment ', p.id, ' of ', p.net, ', ', -r.money, ' went back')
       END AS fault
FROM (SELECT customer_id, grant_id, payment_id, sum(amount) AS money,
             sum((unburned_microcredits + burned_microcredits)
                 * CASE WHEN kind IN ('refund', 'dispute') THEN -1 ELSE 1 END) AS moved
      FROM reversal WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
      GROUP BY customer_id, grant_id, payment_id) r
JOIN payment p ON p.id = r.payment_id
LEFT JOIN (SELECT customer_id, grant_id, sum(amount_microcredits) AS moved FROM ledger_entry
           WHERE kind IN (11, 12) AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
           GROUP BY customer_id, grant_id) l
    ON l.customer_id = r.customer_id AND l.grant_id = r.grant_id
