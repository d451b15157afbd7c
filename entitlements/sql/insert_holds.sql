INSERT INTO hold
    (customer_id, id, key, key_digest, body_digest, status, held_microcredits, settled_microcredits, steps, feature_id,
     model, user_key, run_id, runs, claims, is_lease, answer, placed_at, expires_at, closed_at)
SELECT customer_id, id, key, key_digest, body_digest, status, held, settled, steps, feature_id, model, user_key, run_id,
       -- unnest flattens arrays of arrays, so a hold's runs travel as JSON.
       ARRAY(SELECT value::uuid FROM jsonb_array_elements_text(runs)), claims, is_lease, answer, placed_at, expires_at,
       closed_at
FROM unnest(
    %(customer_id)s::bigint[], %(id)s::uuid[], %(key)s::text[], %(key_digest)s::uuid[], %(body_digest)s::uuid[],
    %(status)s::smallint[], %(held)s::bigint[], %(settled)s::bigint[], %(steps)s::smallint[], %(feature_id)s::bigint[],
    %(model)s::text[], %(user_key)s::text[], %(run_id)s::uuid[], %(runs)s::jsonb[], %(claims)s::jsonb[],
    %(is_lease)s::boolean[], %(answer)s::jsonb[], %(placed_at)s::timestamptz[], %(expires_at)s::timestamptz[],
    %(closed_at)s::timestamptz[]
) AS u (customer_id, id, key, key_digest, body_digest, status, held, settled, steps, feature_id, model, user_key, run_id,
        runs, claims, is_lease, answer, placed_at, expires_at, closed_at)
