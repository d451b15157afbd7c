UPDATE hold h SET
    status = r.status, held_microcredits = r.held_microcredits, settled_microcredits = r.settled_microcredits,
    steps = r.steps, claims = r.claims, expires_at = r.expires_at, closed_at = r.closed_at
FROM json_populate_recordset(NULL::hold, %(rows)s::json) r
WHERE h.customer_id = r.customer_id AND h.id = r.id
