UPDATE run SET
    status = r.status, steps = r.steps, held_steps = r.held_steps, charged_microcredits = r.charged_microcredits,
    held_microcredits = r.held_microcredits, cost_nanousd = r.cost_nanousd, closed_at = r.closed_at
FROM json_populate_recordset(NULL::run, %(rows)s::json) r
WHERE run.customer_id = r.customer_id AND run.id = r.id
