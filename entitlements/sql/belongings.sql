-- Everything of some accounts that a batch's decisions need, as one JSON object each (store/accounts.py: Belongings).
-- Run after lock_accounts, so that its snapshot is newer than the locks. What is looked up stands in :wanted, an
-- object per customer; every part is read by an index that leads with the customer.
WITH wanted AS (
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
            SELECT key_digest, body_digest, charged_microcredits, cost_nanousd FROM usage_event
            WHERE customer_id = w.customer_id AND key_digest = ANY(w.events)
            UNION ALL
            SELECT key_digest, body_digest, charged_microcredits, cost_nanousd FROM usage_tombstone
            WHERE customer_id = w.customer_id AND key_digest = ANY(w.events)) e),
    'holds', (
        SELECT json_agg(h) FROM hold h WHERE h.customer_id = w.customer_id AND h.id = ANY(of_holds.ids)),
    'next_hold', (
        -- When the first of the other open holds ends; asked only when some have ended.
        SELECT h.expires_at FROM hold h
        WHERE b.due AND h.customer_id = w.customer_id AND h.closed_at IS NULL AND h.expires_at > %(now)s
        ORDER BY h.expires_at LIMIT 1),
    'runs', (
        SELECT json_agg(r) FROM run r WHERE r.customer_id = w.customer_id AND r.id = ANY(of_runs.ids)),
    'counters', (
        SELECT json_agg(k) FROM limit_counter k
        WHERE k.customer_id = w.customer_id AND k.scope_key = ANY(of_holds.scope_keys || w.scope_keys || ARRAY['']))
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
        SELECT id, user_key, run_id FROM hold WHERE customer_id = w.customer_id AND id = ANY(w.hold_ids)
        UNION
        SELECT id, user_key, run_id FROM hold WHERE customer_id = w.customer_id AND key_digest = ANY(w.hold_digests)
        UNION
        SELECT id, user_key, run_id FROM hold
        WHERE b.due AND customer_id = w.customer_id AND closed_at IS NULL AND expires_at <= %(now)s
        UNION
        SELECT id, user_key, run_id FROM hold WHERE w.whole AND customer_id = w.customer_id AND closed_at IS NULL
    ) h
) of_holds
-- The runs in question, and the runs around them.
CROSS JOIN LATERAL (
    SELECT array_agg(r.id) AS ids
    FROM (
        SELECT unnest(id || ancestors) AS id FROM run
        WHERE customer_id = w.customer_id AND key_digest = ANY(w.run_digests)
        UNION ALL
        SELECT unnest(id || ancestors) FROM run
        WHERE customer_id = w.customer_id AND id = ANY(w.run_ids || of_holds.run_ids)
        UNION ALL
        SELECT unnest(id || ancestors) FROM run
        WHERE w.whole AND customer_id = w.customer_id AND closed_at IS NULL
    ) r
) of_runs
