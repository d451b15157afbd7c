-- A key told before is told: one threshold, one window, one message.
INSERT INTO outbox_message (customer_id, key, kind, payload, created_at)
SELECT * FROM unnest(
    %(customer_id)s::bigint[], %(key)s::text[], %(kind)s::text[], %(payload)s::jsonb[], %(created_at)s::timestamptz[]
)
ON CONFLICT (customer_id, key) DO NOTHING
