UPDATE run r SET
    status = u.status, steps = u.steps, held_steps = u.held_steps, charged_microcredits = u.charged,
    held_microcredits = u.held, cost_nanousd = u.cost, closed_at = u.closed_at
FROM unnest(
    %(customer_id)s::bigint[], %(id)s::uuid[], %(status)s::smallint[], %(steps)s::bigint[], %(held_steps)s::bigint[],
    %(charged_microcredits)s::bigint[], %(held_microcredits)s::bigint[], %(cost_nanousd)s::bigint[],
    %(closed_at)s::timestamptz[]
) AS u (customer_id, id, status, steps, held_steps, charged, held, cost, closed_at)
WHERE r.customer_id = u.customer_id AND r.id = u.id
