SELECT COALESCE(d.customer_id, t.customer_id) AS customer_id,
       CASE WHEN (d.events, d.charged, d.cost) IS DISTINCT FROM (t.events, t.charged, t.cost)
            THEN concat('archived days count ', COALESCE(d.events, 0), ' events, ', COALESCE(d.charged, 0),
                        ' microcredits, ', COALESCE(d.cost, 0), ' nano-USD; tombstones ', COALESCE(t.events, 0), ', ',
                        COALESCE(t.charged, 0), ', ', COALESCE(t.cost, 0))
       END AS fault
FROM (SELECT customer_id, sum(calls) AS events, sum(charged_microcredits) AS charged, sum(cost_nanousd) AS cost
      FROM archived_usage_day WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
      GROUP BY customer_id) d
FULL JOIN (SELECT customer_id, count(*)::numeric AS events, COALESCE(sum(charged_microcredits), 0) AS charged,
                  COALESCE(sum(cost_nanousd), 0) AS cost
           FROM usage_tombstone WHERE %(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s
           GROUP BY customer_id) t USING (customer_id)
