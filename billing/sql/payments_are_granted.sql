-- A payment that came through granted what its order promised, at what was paid for it; one that did not granted nothing.
SELECT p.customer_id,
       CASE WHEN (p.status = 'succeeded') <> (p.grant_id IS NOT NULL)
            THEN concat('payment ', p.id, ' is ', p.status, ' and has ',
                        CASE WHEN p.grant_id IS NULL THEN 'no grant' ELSE 'a grant' END)
            WHEN p.grant_id IS NOT NULL AND (g.id IS NULL OR g.amount_microcredits <> o.microcredits
                 OR g.paid <> p.net OR g.paid_currency <> p.net_currency OR g.source <> 'top_up')
            THEN concat('payment ', p.id, ' of ', p.net, ' ', p.net_currency, ' for ', o.microcredits, ' granted ',
                        COALESCE(g.amount_microcredits::text, 'nothing'), ' for ', g.paid, ' ', g.paid_currency)
            WHEN (o.bonus_microcredits > 0 AND p.grant_id IS NOT NULL)
                 <> COALESCE(b.amount_microcredits = o.bonus_microcredits AND b.paid = 0, false)
            THEN concat('payment ', p.id, ' has not the bonus of its order')
            WHEN p.grant_id IS NOT NULL AND o.state <> 'paid' THEN concat('payment ', p.id, ' paid an order that is ', o.state)
       END AS fault
FROM payment p
JOIN top_up_order o ON o.id = p.order_id
LEFT JOIN credit_grant g ON g.customer_id = p.customer_id AND g.id = p.grant_id
LEFT JOIN credit_grant b ON b.customer_id = p.customer_id AND b.id = p.bonus_grant_id
WHERE %(customer_id)s::bigint IS NULL OR p.customer_id = %(customer_id)s
