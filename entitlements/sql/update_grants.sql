UPDATE credit_grant g SET
    remaining_microcredits = r.remaining_microcredits, activated_at = r.activated_at, closed_at = r.closed_at,
    voided_at = r.voided_at
FROM json_populate_recordset(NULL::credit_grant, %(rows)s::json) r
WHERE g.customer_id = r.customer_id AND g.id = r.id
