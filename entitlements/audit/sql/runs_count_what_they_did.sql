-- A run's spending is that of the usage that names it or a run inside it, recorded since it was opened; what it has set
-- aside is that of the open holds in it. Parts of one call count as one step, so usage only bounds the steps. Archived
-- usage has forgotten its run, so with any a run may have counted more than is left.
SELECT r.customer_id,
       CASE WHEN (r.held_microcredits, r.held_steps) <> (COALESCE(h.held, 0), COALESCE(h.steps, 0))
            THEN concat('run ', r.key, ' holds ', r.held_microcredits, ' and ', r.held_steps, ' steps, its holds ',
                        COALESCE(h.held, 0), ' and ', COALESCE(h.steps, 0))
            WHEN (r.charged_microcredits, r.cost_nanousd) <> (COALESCE(e.charged, 0), COALESCE(e.cost, 0))
                 AND (a.customer_id IS NULL
                      OR r.charged_microcredits < COALESCE(e.charged, 0) OR r.cost_nanousd < COALESCE(e.cost, 0))
            THEN concat('run ', r.key, ' counts ', r.charged_microcredits, ' microcredits and ', r.cost_nanousd,
                        ' nano-USD, its usage ', COALESCE(e.charged, 0), ' and ', COALESCE(e.cost, 0))
            WHEN r.steps < COALESCE(e.whole_calls, 0) OR r.steps > COALESCE(e.events, 0) AND a.customer_id IS NULL
            THEN concat('run ', r.key, ' counts ', r.steps, ' steps of ', COALESCE(e.events, 0), ' usage events')
            WHEN (r.status = 1) <> (r.closed_at IS NULL) THEN concat('run ', r.key, ' is neither open nor closed')
            WHEN r.closed_at IS NULL AND EXISTS (SELECT FROM run o WHERE o.customer_id = r.customer_id
                                                 AND o.id = ANY (r.ancestors) AND o.closed_at IS NOT NULL)
            THEN concat('run ', r.key, ' is open in a closed run')
       END AS fault
FROM run r
LEFT JOIN (SELECT h.customer_id, level.id, sum(h.held_microcredits) AS held, sum(h.steps) AS steps
           FROM hold h CROSS JOIN unnest(h.runs) AS level (id)
           WHERE h.closed_at IS NULL AND (%(customer_id)s::bigint IS NULL OR h.customer_id = %(customer_id)s)
           GROUP BY 1, 2) h ON h.customer_id = r.customer_id AND h.id = r.id
LEFT JOIN (SELECT e.customer_id, level.id, count(*) AS events,
                  count(*) FILTER (WHERE e.hold_id IS NULL OR placed.is_lease) AS whole_calls,
                  sum(e.charged_microcredits) AS charged, sum(e.cost_nanousd) AS cost
           FROM usage_event e
           JOIN run inner_run ON inner_run.customer_id = e.customer_id AND inner_run.key = e.run_key
               AND inner_run.opened_at <= e.received_at
           CROSS JOIN unnest(inner_run.ancestors || inner_run.id) AS level (id)
           LEFT JOIN hold placed ON placed.customer_id = e.customer_id AND placed.id = e.hold_id
           WHERE e.run_key <> '' AND (%(customer_id)s::bigint IS NULL OR e.customer_id = %(customer_id)s)
           GROUP BY 1, 2) e ON e.customer_id = r.customer_id AND e.id = r.id
LEFT JOIN (SELECT DISTINCT customer_id FROM archived_usage_day) a ON a.customer_id = r.customer_id
WHERE %(customer_id)s::bigint IS NULL OR r.customer_id = %(customer_id)s
