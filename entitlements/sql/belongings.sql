-- Everything of some accounts that a batch's decisions need, as one JSON object (store/accounts.py: Belongings).
-- Run after lock_accounts, so that its snapshot is newer than the locks. What is looked up stands in :wanted, an
-- object per customer. What it names is unnested first and then looked up one by one: a plan must use the customer and
-- the key together, or it reads a customer's whole history. OFFSET 0 keeps the planner, who may know the tables only
-- as they were when empty, from turning a look-up round (tests/entitlements/test_look_ups.py).
WITH wanted AS MATERIALIZED (
    SELECT COALESCE(w.id, (SELECT c.id FROM customer c WHERE c.key = w.key)) AS customer_id, w.events, w.hold_ids,
           w.new_holds, w.run_digests, w.run_ids, w.scope_keys, w.due, w.whole
    FROM json_to_recordset(%(wanted)s::json) AS w (
        key text, id bigint, events uuid[], hold_ids uuid[], new_holds uuid[], run_digests uuid[], run_ids uuid[], scope_keys text[],
        due boolean, whole boolean)
),
named_events AS MATERIALIZED (SELECT customer_id, unnest(events) AS key_digest FROM wanted),
named_holds AS MATERIALIZED (SELECT customer_id, unnest(hold_ids || new_holds) AS id FROM wanted),
named_runs AS MATERIALIZED (SELECT customer_id, unnest(run_digests) AS key_digest FROM wanted),
-- The holds named, those that have ended, or all that are open. One may be there twice.
holds AS MATERIALIZED (
    SELECT h.* FROM named_holds n CROSS JOIN LATERAL (
        SELECT * FROM hold WHERE customer_id = n.customer_id AND id = n.id OFFSET 0) h
    UNION ALL
    SELECT h.* FROM wanted w CROSS JOIN LATERAL (
        SELECT * FROM hold WHERE customer_id = w.customer_id AND closed_at IS NULL AND expires_at <= %(now)s OFFSET 0) h
    WHERE w.due
    UNION ALL
    SELECT h.* FROM wanted w CROSS JOIN LATERAL (
        SELECT * FROM hold WHERE customer_id = w.customer_id AND closed_at IS NULL OFFSET 0) h
    WHERE w.whole
),
-- The runs in question, and the runs around them.
run_ids AS MATERIALIZED (
    SELECT customer_id, unnest(run_ids) AS id FROM wanted
    UNION ALL
    SELECT customer_id, run_id FROM holds WHERE run_id IS NOT NULL
),
inside AS MATERIALIZED (
    SELECT r.customer_id, unnest(r.id || r.ancestors) AS id
    FROM named_runs n CROSS JOIN LATERAL (
        SELECT * FROM run WHERE customer_id = n.customer_id AND key_digest = n.key_digest OFFSET 0) r
    UNION
    SELECT r.customer_id, unnest(r.id || r.ancestors)
    FROM run_ids n CROSS JOIN LATERAL (SELECT * FROM run WHERE customer_id = n.customer_id AND id = n.id OFFSET 0) r
    UNION
    SELECT r.customer_id, unnest(r.id || r.ancestors)
    FROM wanted w CROSS JOIN LATERAL (
        SELECT * FROM run WHERE customer_id = w.customer_id AND closed_at IS NULL OFFSET 0) r
    WHERE w.whole
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
    'next_holds', (
        -- When the first of the other open holds ends; asked only when some have ended.
        SELECT json_agg(n) FROM (
            SELECT w.customer_id, h.expires_at
            FROM wanted w CROSS JOIN LATERAL (
                SELECT h.expires_at FROM hold h
                WHERE h.customer_id = w.customer_id AND h.closed_at IS NULL AND h.expires_at > %(now)s
                ORDER BY h.expires_at LIMIT 1) h
            WHERE w.due) n),
    'runs', (
        SELECT json_agg(r) FROM (
            SELECT r.* FROM inside i CROSS JOIN LATERAL (
                SELECT * FROM run WHERE customer_id = i.customer_id AND id = i.id OFFSET 0) r) r),
    'counters', (
        SELECT json_agg(k) FROM (
            SELECT k.*
            FROM (
                SELECT customer_id, '' AS scope_key FROM wanted
                UNION
                SELECT customer_id, unnest(scope_keys) FROM wanted
                UNION
                SELECT customer_id, 'user:' || user_key FROM holds
                UNION
                SELECT customer_id, 'run:' || id FROM inside
            ) s
            CROSS JOIN LATERAL (
                SELECT * FROM limit_counter WHERE customer_id = s.customer_id AND scope_key = s.scope_key OFFSET 0) k) k)
)::text
