-- What a re-rating did to one customer's events and has not taken back yet, a batch of it.
SELECT a.customer_id, a.key_digest, a.rerating_id, a.undo, a.occurred_at, a.plan_version_id, a.feature_id, a.model,
       a.user_key, a.delta_nanousd, a.delta_computed_nanousd, a.priced, a.cost_card, a.created_at
FROM cost_adjustment a
WHERE a.rerating_id = %(rerating_id)s AND a.customer_id = %(customer_id)s AND NOT a.undo
  AND NOT EXISTS (SELECT FROM cost_adjustment u
                  WHERE u.customer_id = a.customer_id AND u.key_digest = a.key_digest
                    AND u.rerating_id = a.rerating_id AND u.undo)
ORDER BY a.key_digest
LIMIT %(most)s
