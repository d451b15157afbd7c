UPDATE hold h SET
    status = u.status, held_microcredits = u.held, settled_microcredits = u.settled, steps = u.steps, claims = u.claims,
    expires_at = u.expires_at, closed_at = u.closed_at
FROM unnest(
    %(customer_id)s::bigint[], %(id)s::uuid[], %(status)s::smallint[], %(held)s::bigint[], %(settled)s::bigint[],
    %(steps)s::smallint[], %(claims)s::jsonb[], %(expires_at)s::timestamptz[], %(closed_at)s::timestamptz[]
) AS u (customer_id, id, status, held, settled, steps, claims, expires_at, closed_at)
WHERE h.customer_id = u.customer_id AND h.id = u.id
