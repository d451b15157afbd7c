SELECT COALESCE(c.id, b.customer_id) AS customer_id,
       CASE WHEN b.customer_id IS NULL THEN 'has no balance row'
            WHEN c.id IS NULL THEN 'has a balance row and is no customer' END AS fault
FROM (SELECT id FROM customer WHERE %(customer_id)s::bigint IS NULL OR id = %(customer_id)s) c
FULL JOIN (SELECT customer_id FROM balance WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s) b
    ON b.customer_id = c.id
