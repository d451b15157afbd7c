SELECT customer_id,
       CASE WHEN posted_microcredits > held_microcredits AND debt_microcredits + overage_microcredits > 0
            THEN concat(posted_microcredits - held_microcredits, ' are free while ', debt_microcredits, ' of debt and ',
                        overage_microcredits, ' of overage are not paid')
       END AS fault
FROM balance
WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
