UPDATE credit_grant g SET
    remaining_microcredits = r.remaining_microcredits, activated_at = r.activated_at, closed_at = r.closed_at,
    voided_at = r.voided_at
FROM json_to_recordset(%(rows)s::json) AS r (
    customer_id bigint, id uuid, remaining_microcredits bigint, activated_at timestamptz, closed_at timestamptz,
    voided_at timestamptz)
WHERE g.customer_id = r.customer_id AND g.id = r.id
