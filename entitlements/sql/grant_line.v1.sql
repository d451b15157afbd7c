-- credit_grant for the admin, which needs a single-column key: customer_id-grant id.
CREATE OR REPLACE VIEW grant_line AS
SELECT customer_id || '-' || id AS id, customer_id, id AS grant_id, key, source, priority, amount_microcredits,
       remaining_microcredits, effective_at, expires_at, created_at, activated_at, closed_at, voided_at, paid,
       paid_currency, reason, actor
FROM credit_grant;
