-- A key told before is told: one threshold, one window, one message.
INSERT INTO outbox_message (customer_id, key, kind, payload, created_at)
SELECT r.customer_id, r.key, r.kind, r.payload, r.created_at
FROM json_populate_recordset(NULL::outbox_message, %(rows)s::json) r
ON CONFLICT (customer_id, key) DO NOTHING
