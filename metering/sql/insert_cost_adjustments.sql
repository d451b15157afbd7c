INSERT INTO cost_adjustment (customer_id, key_digest, rerating_id, undo, occurred_at, plan_version_id, feature_id, model,
                             user_key, delta_nanousd, delta_computed_nanousd, priced, cost_card, created_at)
SELECT customer_id, key_digest, rerating_id, undo, occurred_at, plan_version_id, feature_id, model,
       user_key, delta_nanousd, delta_computed_nanousd, priced, cost_card, created_at
FROM json_populate_recordset(NULL::cost_adjustment, %(rows)s::json)
