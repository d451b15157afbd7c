-- Everything a catalogue file may write: readers go on, writers wait. One file is applied at a time,
-- and not in the middle of somebody's edit in the admin.
LOCK TABLE feature, model_tier, ai_model, model_match, rate_card, rate_card_version, rate, token_rate,
    plan, plan_version, plan_entitlement, plan_limit, fallback_step, top_up_pack
    IN SHARE ROW EXCLUSIVE MODE
