-- Everything of some accounts that a batch's decisions need, as one JSON object each (store/accounts.py: Belongings).
-- Run after lock_accounts, so that its snapshot is newer than the locks. What is looked up stands in :wanted, an
-- object per customer; every part is read by an index that leads with the customer.
WITH wanted AS (
    SELECT b.customer_id, w.events, w.hold_ids, w.hold_digests, w.run_digests, w.run_ids, w.scope_keys,
           COALESCE(w.whole, false) OR COALESCE(b.holds_until <= %(now)s, false) AS whole
    FROM json_to_recordset(%(wanted)s::json) AS w (
        key text, id bigint, events uuid[], hold_ids uuid[], hold_digests uuid[], run_digests uuid[], run_ids uuid[],
        scope_keys text[], whole boolean)
    JOIN balance b ON b.customer_id = COALESCE(w.id, (SELECT c.id FROM customer c WHERE c.key = w.key))
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
        SELECT json_agg(h) FROM hold h
        WHERE h.customer_id = w.customer_id AND h.id IN (
            SELECT id FROM hold WHERE customer_id = w.customer_id AND id = ANY(w.hold_ids)
            UNION
            SELECT id FROM hold WHERE customer_id = w.customer_id AND key_digest = ANY(w.hold_digests)
            UNION
            SELECT id FROM hold WHERE customer_id = w.customer_id AND closed_at IS NULL AND w.whole)),
    'runs', (
        WITH named AS (
            SELECT id, ancestors FROM run WHERE customer_id = w.customer_id AND key_digest = ANY(w.run_digests)
            UNION
            SELECT id, ancestors FROM run WHERE customer_id = w.customer_id AND id = ANY(w.run_ids)
            UNION
            SELECT id, ancestors FROM run WHERE customer_id = w.customer_id AND closed_at IS NULL AND w.whole
            UNION
            SELECT r.id, r.ancestors FROM hold h JOIN run r ON r.customer_id = h.customer_id AND r.id = h.run_id
            WHERE h.customer_id = w.customer_id AND h.id = ANY(w.hold_ids)
        ), around AS (
            SELECT id FROM named UNION SELECT unnest(ancestors) FROM named
        )
        SELECT json_agg(r) FROM run r WHERE r.customer_id = w.customer_id AND r.id IN (SELECT id FROM around)),
    'counters', (
        SELECT json_agg(k) FROM (
            SELECT * FROM limit_counter k
            WHERE k.customer_id = w.customer_id
              AND (k.scope_key = '' OR k.scope_key = ANY(w.scope_keys) OR (w.whole AND k.held > 0)
                   OR k.scope_key IN (
                       SELECT unnest(ARRAY['user:' || h.user_key, 'run:' || h.run_id]) FROM hold h
                       WHERE h.customer_id = w.customer_id AND h.id = ANY(w.hold_ids)))) k)
)::text
FROM wanted w
