-- hold for the admin, which needs a single-column key: customer_id-hold id.
CREATE OR REPLACE VIEW hold_line AS
SELECT customer_id || '-' || id AS id, customer_id, id AS hold_id, key, status, held_microcredits, settled_microcredits,
       NULLIF(feature_id, 0) AS feature_id, model, user_key, run_id, claims, is_lease, placed_at, expires_at, closed_at
FROM hold;
