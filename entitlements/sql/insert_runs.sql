INSERT INTO run
    (customer_id, id, key, key_digest, body_digest, ancestors, status, user_key, max_steps, max_microcredits,
     max_cost_nanousd, max_depth, deadline, steps, held_steps, charged_microcredits, held_microcredits, cost_nanousd,
     opened_at, closed_at)
SELECT customer_id, id, key, key_digest, body_digest, ARRAY(SELECT value::uuid FROM jsonb_array_elements_text(ancestors)),
       status, user_key, max_steps, max_microcredits, max_cost_nanousd, max_depth, deadline, steps, held_steps,
       charged_microcredits, held_microcredits, cost_nanousd, opened_at, closed_at
FROM unnest(
    %(customer_id)s::bigint[], %(id)s::uuid[], %(key)s::text[], %(key_digest)s::uuid[], %(body_digest)s::uuid[],
    %(ancestors)s::jsonb[], %(status)s::smallint[], %(user_key)s::text[], %(max_steps)s::bigint[],
    %(max_microcredits)s::bigint[], %(max_cost_nanousd)s::bigint[], %(max_depth)s::smallint[],
    %(deadline)s::timestamptz[], %(steps)s::bigint[], %(held_steps)s::bigint[], %(charged_microcredits)s::bigint[],
    %(held_microcredits)s::bigint[], %(cost_nanousd)s::bigint[], %(opened_at)s::timestamptz[], %(closed_at)s::timestamptz[]
) AS u (customer_id, id, key, key_digest, body_digest, ancestors, status, user_key, max_steps, max_microcredits,
        max_cost_nanousd, max_depth, deadline, steps, held_steps, charged_microcredits, held_microcredits, cost_nanousd,
        opened_at, closed_at)
