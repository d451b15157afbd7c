-- decision for the admin, which needs a single-column key: customer_id-decision id.
CREATE OR REPLACE VIEW decision_line AS
SELECT customer_id || '-' || id AS id, customer_id, id AS decision_id, decided_at, decision, reason, revision, question,
       account, answer
FROM decision;
