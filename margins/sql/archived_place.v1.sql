-- An event that leaves for the archive takes with it whose usage its ledger entries were. Kept here, in the same
-- transaction, for events that earned something of their own: bought credits, or overage.

CREATE OR REPLACE FUNCTION usage_event_leaves_its_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO archived_place (customer_id, key_digest, plan_version_id, feature_id, model, user_key)
    SELECT gone.customer_id, gone.key_digest, gone.plan_version_id, gone.feature_id, gone.model, gone.user_key
    FROM gone
    WHERE EXISTS (
        -- By the time index: an entry of usage is effective when the usage occurred.
        SELECT FROM ledger_entry e
        LEFT JOIN credit_grant g ON g.customer_id = e.customer_id AND g.id = e.grant_id
        WHERE e.customer_id = gone.customer_id AND e.effective_at = gone.occurred_at
          AND e.event_digest = gone.key_digest
          -- Bucket 3 is overage (entitlements/core/words.py).
          AND (e.bucket = 3 OR (g.paid > 0 AND g.source NOT IN ('allowance', 'rollover')))
    )
    ON CONFLICT (customer_id, key_digest) DO NOTHING;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER usage_event_leaves_its_place AFTER DELETE ON usage_event
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION usage_event_leaves_its_place();
