-- Everything of some accounts that a batch's decisions need, as one JSON object each (store/accounts.py: Belongings).
-- Run after lock_accounts, so that its snapshot is newer than the locks. What is looked up stands in :wanted, an
-- object per customer. Lists are joined, not compared with ANY: a plan must use the customer and the key together, or
-- it reads a customer's whole history.
WITH wanted AS MATERIALIZED (
    SELECT COALESCE(w.id, (SELECT c.id FROM customer c WHERE c.key = w.key)) AS customer_id, w.events, w.hold_ids,
           w.hold_digests, w.run_digests, w.run_ids, w.scope_keys, COALESCE(w.whole, false) AS whole
    FROM json_to_recordset(%(wanted)s::json) AS w (
        key text, id bigint, events uuid[], hold_ids uuid[], hold_digests uuid[], run_digests uuid[], run_ids uuid[],
        scope_keys text[], whole boolean)
)
SELECT w.customer_id, json_build_object(
    'grants', (
        SELECT json_agg(g) FROM credit_grant g WHERE g.customer_id = w.customer_id AND g.closed_at IS NULL),
    'entitlements', (
        SELECT json_agg(e) FROM (
            -- The latest of the customer's own to each feature that is in force now.
            SELECT DISTINCT ON (e.feature_id) e.feature_id, e.allowed, t.rank AS max_rank, e.at_limit, e.config
            FROM entitlement e LEFT JOIN model_tier t ON t.id = e.max_tier_id
            WHERE e.customer_id = w.customer_id AND e.starts_at <= %(now)s AND (e.ends_at IS NULL OR e.ends_at > %(now)s)
            ORDER BY e.feature_id, e.starts_at DESC, e.id DESC) e),
    'events', (
        SELECT json_agg(e) FROM (
            SELECT e.key_digest, e.body_digest, e.charged_microcredits, e.cost_nanousd
            FROM unnest(w.events) AS n (digest)
            JOIN usage_event e ON e.customer_id = w.customer_id AND e.key_digest = n.digest
            UNION ALL
            SELECT t.key_digest, t.body_digest, t.charged_microcredits, t.cost_nanousd
            FROM unnest(w.events) AS n (digest)
            JOIN usage_tombstone t ON t.customer_id = w.customer_id AND t.key_digest = n.digest) e),
    'holds', (
        SELECT json_agg(h)
        FROM unnest(of_holds.ids) AS n (id) JOIN hold h ON h.customer_id = w.customer_id AND h.id = n.id),
    'next_hold', (
        -- When the first of the other open holds ends; asked only when some have ended.
        SELECT h.expires_at FROM hold h
        WHERE b.due AND h.customer_id = w.customer_id AND h.closed_at IS NULL AND h.expires_at > %(now)s
        ORDER BY h.expires_at LIMIT 1),
    'runs', (
        SELECT json_agg(r)
        FROM unnest(of_runs.ids) AS n (id) JOIN run r ON r.customer_id = w.customer_id AND r.id = n.id),
    'counters', (
        SELECT json_agg(k)
        FROM (
            SELECT DISTINCT unnest(of_holds.scope_keys || w.scope_keys || of_runs.scope_keys || ARRAY['']) AS scope_key) n
        JOIN limit_counter k ON k.customer_id = w.customer_id AND k.scope_key = n.scope_key)
)::text
FROM wanted w
-- The balance row tells whether holds have ended; a read of one row, by its key.
CROSS JOIN LATERAL (
    SELECT COALESCE(holds_until <= %(now)s, false) AS due FROM balance WHERE balance.customer_id = w.customer_id
) b
-- The holds in question: those named, those that have ended, or all that are open.
CROSS JOIN LATERAL (
    SELECT array_agg(h.id) AS ids,
           array_agg('user:' || h.user_key) || array_agg('run:' || h.run_id) AS scope_keys,
           array_agg(h.run_id) AS run_ids
    FROM (
        SELECT h.id, h.user_key, h.run_id
        FROM unnest(w.hold_ids) AS n (id) JOIN hold h ON h.customer_id = w.customer_id AND h.id = n.id
        UNION
        SELECT h.id, h.user_key, h.run_id
        FROM unnest(w.hold_digests) AS n (digest)
        JOIN hold h ON h.customer_id = w.customer_id AND h.key_digest = n.digest
        UNION
        SELECT id, user_key, run_id FROM hold
        WHERE b.due AND customer_id = w.customer_id AND closed_at IS NULL AND expires_at <= %(now)s
        UNION
        SELECT id, user_key, run_id FROM hold WHERE w.whole AND customer_id = w.customer_id AND closed_at IS NULL
    ) h
) of_holds
-- The runs in question, and the runs around them.
CROSS JOIN LATERAL (
    SELECT array_agg(r.id) AS ids, array_agg('run:' || r.id) AS scope_keys
    FROM (
        SELECT unnest(r.id || r.ancestors) AS id
        FROM unnest(w.run_digests) AS n (digest)
        JOIN run r ON r.customer_id = w.customer_id AND r.key_digest = n.digest
        UNION
        SELECT unnest(r.id || r.ancestors)
        FROM unnest(w.run_ids || of_holds.run_ids) AS n (id)
        JOIN run r ON r.customer_id = w.customer_id AND r.id = n.id
        UNION
        SELECT unnest(id || ancestors) FROM run
        WHERE w.whole AND customer_id = w.customer_id AND closed_at IS NULL
    ) r
) of_runs
