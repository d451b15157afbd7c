UPDATE credit_grant g SET
    remaining_microcredits = u.remaining, activated_at = u.activated_at, closed_at = u.closed_at, voided_at = u.voided_at
FROM unnest(
    %(customer_id)s::bigint[], %(id)s::uuid[], %(remaining)s::bigint[], %(activated_at)s::timestamptz[],
    %(closed_at)s::timestamptz[], %(voided_at)s::timestamptz[]
) AS u (customer_id, id, remaining, activated_at, closed_at, voided_at)
WHERE g.customer_id = u.customer_id AND g.id = u.id
