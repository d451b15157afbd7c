-- As belongings.sql, for batches that name no hold, no run, and nothing that has ended: most of them. A plan of half the
-- size starts in half the time, which a batch of few calls pays for itself.
WITH wanted AS MATERIALIZED (
    SELECT COALESCE(w.id, (SELECT c.id FROM customer c WHERE c.key = w.key)) AS customer_id, w.events, w.new_holds,
           w.scope_keys
    FROM json_to_recordset(%(wanted)s::json) AS w (key text, id bigint, events uuid[], new_holds uuid[], scope_keys text[])
),
named_events AS MATERIALIZED (SELECT customer_id, unnest(events) AS key_digest FROM wanted),
holds AS MATERIALIZED (
    SELECT h.* FROM (SELECT customer_id, unnest(new_holds) AS id FROM wanted) n CROSS JOIN LATERAL (
        SELECT * FROM hold WHERE customer_id = n.customer_id AND id = n.id OFFSET 0) h
)
SELECT json_build_object(
    'grants', (
        SELECT json_agg(g) FROM (
            SELECT g.customer_id, g.id, g.source, g.priority, g.amount_microcredits, g.remaining_microcredits,
                   g.effective_at, g.expires_at, g.created_at, g.activated_at, g.subscription_id, g.closed_at, g.voided_at
            FROM wanted w CROSS JOIN LATERAL (
                SELECT * FROM credit_grant WHERE customer_id = w.customer_id AND closed_at IS NULL OFFSET 0) g) g),
    'entitlements', (
        -- The customer's own, in force now or later.
        SELECT json_agg(e) FROM (
            SELECT w.customer_id, e.feature_id, e.allowed, t.rank AS max_rank, e.at_limit, e.config, e.starts_at, e.ends_at
            FROM wanted w
            JOIN entitlement e ON e.customer_id = w.customer_id
            LEFT JOIN model_tier t ON t.id = e.max_tier_id
            WHERE e.ends_at IS NULL OR e.ends_at > %(now)s
            ORDER BY e.starts_at, e.id) e),
    'events', (
        SELECT json_agg(e) FROM (
            SELECT e.customer_id, e.key_digest, e.body_digest, e.charged_microcredits, e.cost_nanousd
            FROM named_events n CROSS JOIN LATERAL (
                SELECT * FROM usage_event WHERE customer_id = n.customer_id AND key_digest = n.key_digest OFFSET 0) e
            UNION ALL
            SELECT t.customer_id, t.key_digest, t.body_digest, t.charged_microcredits, t.cost_nanousd
            FROM named_events n CROSS JOIN LATERAL (
                SELECT * FROM usage_tombstone WHERE customer_id = n.customer_id AND key_digest = n.key_digest OFFSET 0
            ) t) e),
    'holds', (SELECT json_agg(h) FROM holds h),
    'answers', (
        SELECT json_agg(a) FROM (
            SELECT d.customer_id, d.id, d.answer
            FROM holds h CROSS JOIN LATERAL (
                SELECT * FROM decision WHERE customer_id = h.customer_id AND id = h.id OFFSET 0) d) a),
    'counters', (
        SELECT json_agg(k) FROM (
            SELECT k.*
            FROM (
                SELECT customer_id, '' AS scope_key FROM wanted
                UNION ALL
                SELECT customer_id, unnest(scope_keys) FROM wanted
            ) s
            CROSS JOIN LATERAL (
                SELECT * FROM limit_counter WHERE customer_id = s.customer_id AND scope_key = s.scope_key OFFSET 0) k) k)
)::text
