-- run for the admin, which needs a single-column key: customer_id-run id.
CREATE OR REPLACE VIEW run_line AS
SELECT customer_id || '-' || id AS id, customer_id, id AS run_id, key, ancestors, cardinality(ancestors) AS depth, status,
       user_key, max_steps, max_microcredits, max_cost_nanousd, max_depth, deadline, steps, held_steps,
       charged_microcredits, held_microcredits, cost_nanousd, opened_at, closed_at
FROM run;
