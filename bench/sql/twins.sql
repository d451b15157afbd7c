-- The one who lived it (model), the others (twin), and what their grants are to be called.
CREATE TEMPORARY TABLE model ON COMMIT DROP AS
SELECT c.id AS customer_id, s.id AS subscription_id
FROM customer c JOIN subscription s ON s.customer_id = c.id WHERE c.key = %(first)s;
CREATE TEMPORARY TABLE twin ON COMMIT DROP AS
SELECT s.customer_id, s.id AS subscription_id FROM subscription s
WHERE s.customer_id <> (SELECT customer_id FROM model);
CREATE TEMPORARY TABLE twin_grant (customer_id bigint, id uuid, key text, key_digest uuid) ON COMMIT DROP;
