-- Every correction of a cost is of an event that is there, or archived, in the place that event has; what was taken
-- back is what had been moved; and an event is priced by corrections at most once.
SELECT a.customer_id,
       CASE WHEN e.customer_id IS NULL AND t.customer_id IS NULL
            THEN concat('an adjustment of re-rating ', a.rerating_id, ' names usage that is not there: ', a.key_digest)
            WHEN e.customer_id IS NOT NULL AND (a.occurred_at, a.plan_version_id, a.feature_id, a.model, a.user_key)
                 IS DISTINCT FROM (e.occurred_at, e.plan_version_id, e.feature_id, e.model, e.user_key)
            THEN concat('an adjustment of re-rating ', a.rerating_id, ' is counted elsewhere than its usage ', e.key)
            WHEN a.undo AND (d.delta_nanousd, d.delta_computed_nanousd, d.priced)
                 IS DISTINCT FROM (-a.delta_nanousd, -a.delta_computed_nanousd, -a.priced::int)
            THEN concat('re-rating ', a.rerating_id, ' took back ', -a.delta_nanousd, ' nano-USD of ', a.key_digest,
                        ', it had moved ', COALESCE(d.delta_nanousd::text, 'nothing'))
            WHEN r.state = 'undone' AND NOT a.undo AND u.customer_id IS NULL
            THEN concat('re-rating ', a.rerating_id, ' is undone, but not for ', a.key_digest)
       END AS fault
FROM cost_adjustment a
JOIN rerating r ON r.id = a.rerating_id
LEFT JOIN usage_event e ON e.customer_id = a.customer_id AND e.key_digest = a.key_digest
LEFT JOIN usage_tombstone t ON t.customer_id = a.customer_id AND t.key_digest = a.key_digest
LEFT JOIN cost_adjustment d ON a.undo AND d.customer_id = a.customer_id AND d.key_digest = a.key_digest
                           AND d.rerating_id = a.rerating_id AND NOT d.undo
LEFT JOIN cost_adjustment u ON NOT a.undo AND u.customer_id = a.customer_id AND u.key_digest = a.key_digest
                           AND u.rerating_id = a.rerating_id AND u.undo
WHERE %(customer_id)s::bigint IS NULL OR a.customer_id = %(customer_id)s
