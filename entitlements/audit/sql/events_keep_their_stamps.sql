-- What an event was rated and costed by can be read again: a published rate in force then, a published card.
SELECT e.customer_id,
       CASE WHEN e.cost_nanousd IS DISTINCT FROM COALESCE(e.reported_cost_nanousd, e.computed_cost_nanousd)
            THEN concat('usage ', e.key, ' costs neither what was reported nor what was computed')
            WHEN e.computed_cost_nanousd > 0 AND e.cost_card = '' THEN concat('usage ', e.key, ' names no cost card')
            WHEN e.cost_card LIKE 'card:%%' AND k.id IS NULL
            THEN concat('usage ', e.key, ' names ', e.cost_card, ', which is not published')
            WHEN e.rate_id IS NOT NULL AND v.id IS NULL
            THEN concat('usage ', e.key, ' names rate ', e.rate_id, ', which is not published')
            WHEN v.effective_from > e.occurred_at
            THEN concat('usage ', e.key, ' names rate ', e.rate_id, ', which was not in force yet')
            WHEN e.rate_id IS NOT NULL AND e.charged_microcredits IS NULL
            THEN concat('usage ', e.key, ' has a rate and no charge')
            WHEN e.plan_version_id <> 0 AND p.id IS NULL
            THEN concat('usage ', e.key, ' names plan version ', e.plan_version_id, ', which is not published')
       END AS fault
FROM usage_event e
LEFT JOIN cost_card k ON e.cost_card = 'card:' || k.id AND k.status = 'published'
LEFT JOIN rate r ON r.id = e.rate_id
LEFT JOIN rate_card_version v ON v.id = r.version_id AND v.status = 'published'
LEFT JOIN plan_version p ON p.id = e.plan_version_id AND p.status <> 'draft'
WHERE %(customer_id)s::bigint IS NULL OR e.customer_id = %(customer_id)s
