-- outbox_message for the admin's lists of a customer's lines: customer_id-message id.
CREATE OR REPLACE VIEW message_line AS
SELECT customer_id || '-' || id AS id, customer_id, id AS message_id, key, kind, payload, created_at, dispatched_at
FROM outbox_message;
