-- The whole catalogue as one JSON document, in the shape of plans/terms.py: one statement, so that
-- every part and the revision come from the same snapshot. Amounts are integers; prices are text.
SELECT json_build_object(
    'revision', COALESCE((SELECT revision FROM cache_revision), 0),

    'features', COALESCE((
        SELECT json_agg(json_build_object('id', id, 'key', key, 'name', name, 'kind', kind)) FROM feature), '[]'),

    'tiers', COALESCE((
        SELECT json_agg(json_build_object('id', id, 'key', key, 'name', name, 'rank', rank) ORDER BY rank)
        FROM model_tier), '[]'),

    'models', COALESCE((
        SELECT json_agg(json_build_object('id', m.id, 'key', m.key, 'provider', m.provider,
            'tier_id', t.id, 'tier_key', t.key, 'tier_rank', t.rank))
        FROM ai_model m JOIN model_tier t ON t.id = m.tier_id), '[]'),

    'names', COALESCE((
        SELECT json_agg(json_build_object('key', m.key, 'aliases', m.aliases, 'matches', COALESCE((
            SELECT json_agg(json_build_object('kind', r.kind, 'pattern', r.pattern))
            FROM model_match r WHERE r.model_id = m.id), '[]')) ORDER BY m.key)
        FROM ai_model m), '[]'),

    'rate_cards', COALESCE((
        SELECT json_agg(json_build_object('version_id', v.id, 'card_id', c.id, 'card_key', c.key, 'number', v.number,
            -- Not the session's time zone's text: offsets of long ago have seconds, which no reader takes.
            'effective_from', to_char(v.effective_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'rounding', v.rounding,
            'increment', v.rounding_increment_microcredits,
            'rates', COALESCE((
                SELECT json_agg(json_build_object('id', r.id, 'feature_id', r.feature_id, 'model_id', r.model_id,
                    'tier_id', r.tier_id, 'action_microcredits', r.action_microcredits,
                    'minimum_microcredits', r.minimum_microcredits,
                    'per_million', COALESCE((
                        -- Exact: `per` is 1, 1,000 or 1,000,000. Numeric: a rate per one may be past bigint per million.
                        SELECT json_object_agg(k.kind, k.microcredits::numeric * (1000000 / k.per))
                        FROM token_rate k WHERE k.rate_id = r.id), '{}')) ORDER BY r.id)
                FROM rate r WHERE r.version_id = v.id), '[]')))
        FROM rate_card_version v JOIN rate_card c ON c.id = v.card_id
        WHERE v.status = 'published'), '[]'),

    'plans', COALESCE((
        SELECT json_agg(json_build_object('id', v.id, 'plan_key', p.key, 'plan_name', p.name, 'number', v.number,
            'status', v.status, 'price', trim_scale(v.price)::text, 'currency', v.price_currency,
            'interval', v.interval, 'rate_card_id', v.rate_card_id,
            'included_microcredits', v.included_microcredits, 'allowance_renewal', v.allowance_renewal,
            'rollover_max_microcredits', v.rollover_max_microcredits, 'allowance_priority', v.allowance_priority,
            'unpriced', v.unpriced, 'overage_price', trim_scale(v.overage_price)::text,
            'spend_cap_microcredits', v.spend_cap_microcredits,
            'grace', v.grace, 'grace_days', v.grace_days,
            'entitlements', COALESCE((
                SELECT json_object_agg(e.feature_id, json_build_object('feature_id', e.feature_id,
                    'max_rank', t.rank, 'at_limit', e.at_limit, 'config', e.config))
                FROM plan_entitlement e LEFT JOIN model_tier t ON t.id = e.max_tier_id
                WHERE e.plan_version_id = v.id), '{}'),
            'limits', COALESCE((
                SELECT json_agg(json_build_object('id', l.id, 'key', l.key, 'scope', l.scope,
                    'feature_id', l.feature_id, 'tier_id', l.tier_id, 'tier_rank', t.rank, 'unit', l.unit,
                    'window', l.window, 'kind', l.kind, 'value', l.value,
                    'warn_at_percent', l.warn_at_percent) ORDER BY l.key)
                FROM plan_limit l LEFT JOIN model_tier t ON t.id = l.tier_id
                WHERE l.plan_version_id = v.id), '[]'),
            'fallbacks', COALESCE((
                SELECT json_agg(json_build_object('id', m.id, 'key', m.key, 'provider', m.provider,
                    'tier_id', t.id, 'tier_key', t.key, 'tier_rank', t.rank) ORDER BY f.position)
                FROM fallback_step f JOIN ai_model m ON m.id = f.model_id JOIN model_tier t ON t.id = m.tier_id
                WHERE f.plan_version_id = v.id), '[]')) ORDER BY p.key, v.number)
        FROM plan_version v JOIN plan p ON p.id = v.plan_id
        WHERE v.status IN ('published', 'retired')), '[]')
)::text
