-- Everything a process caches of the catalogue moves the revision (access/sql/bump_cache_revision).
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['feature', 'model_tier', 'ai_model', 'model_match', 'rate_card', 'rate_card_version',
        'rate', 'token_rate', 'plan', 'plan_version', 'plan_entitlement', 'plan_limit', 'fallback_step', 'top_up_pack']
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION bump_cache_revision()', name || '_bumps_cache_revision', name);
    END LOOP;
END
$$;
