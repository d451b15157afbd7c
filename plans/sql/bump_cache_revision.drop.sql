DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['feature', 'model_tier', 'ai_model', 'model_match', 'rate_card', 'rate_card_version',
        'rate', 'token_rate', 'plan', 'plan_version', 'plan_entitlement', 'plan_limit', 'fallback_step', 'top_up_pack']
    LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %I', name || '_bumps_cache_revision', name);
    END LOOP;
END
$$;
