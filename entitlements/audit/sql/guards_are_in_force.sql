-- The database itself refuses what must not happen: these triggers, keys and constraints are there and switched on.
SELECT NULL::bigint AS customer_id,
       CASE WHEN t.tgname IS NULL THEN concat('trigger ', guard.name, ' of ', guard.relation, ' is missing')
            WHEN t.tgenabled NOT IN ('O', 'A') THEN concat('trigger ', guard.name, ' of ', guard.relation, ' is switched off')
       END AS fault
FROM (
    VALUES ('ledger_entry', 'ledger_is_append_only'), ('ledger_entry', 'ledger_is_not_truncated'),
           ('usage_event', 'usage_event_is_append_only'),
           ('usage_tombstone', 'usage_tombstone_is_append_only'), ('usage_tombstone', 'usage_tombstone_is_archived'),
           ('archived_usage_day', 'archived_usage_day_is_archived'),
           ('cost_adjustment', 'cost_adjustment_is_append_only'), ('customer', 'customer_has_balance'),
           ('plan_version', 'plan_version_is_published'), ('plan_entitlement', 'plan_entitlement_is_published'),
           ('plan_limit', 'plan_limit_is_published'), ('fallback_step', 'fallback_step_is_published'),
           ('rate_card_version', 'rate_card_is_published'), ('rate', 'rate_is_published'),
           ('token_rate', 'token_rate_is_published'), ('cost_card', 'cost_card_is_published'),
           ('cost_rate', 'cost_rate_is_published'), ('plan_acknowledgement', 'plan_acknowledgement_is_published')
    UNION ALL
    SELECT name, name || '_bumps_cache_revision'
    FROM unnest(ARRAY['api_key', 'feature', 'model_tier', 'ai_model', 'model_match', 'rate_card', 'rate_card_version',
        'rate', 'token_rate', 'plan', 'plan_version', 'plan_entitlement', 'plan_limit', 'fallback_step', 'top_up_pack',
        'cost_card', 'cost_rate', 'margin_guard']) AS name
) AS guard (relation, name)
LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(guard.relation) AND t.tgname = guard.name
UNION ALL
SELECT NULL,
       CASE WHEN i.indexrelid IS NULL THEN concat('unique key ', guard.name, ' is missing')
            WHEN NOT (i.indisunique AND i.indisvalid) THEN concat('unique key ', guard.name, ' is not in force') END
FROM unnest(ARRAY['usage_event_pkey', 'usage_tombstone_pkey', 'ledger_entry_pkey', 'balance_pkey', 'usage_day_pkey',
    'usage_month_pkey', 'archived_usage_day_pkey', 'cost_adjustment_pkey', 'limit_counter_pkey', 'credit_grant_key_is_unique',
    'run_key_is_unique', 'outbox_message_key_is_unique',
    'customer_has_one_open_subscription']) AS guard (name)
LEFT JOIN pg_index i ON i.indexrelid = to_regclass(guard.name)
UNION ALL
SELECT NULL,
       CASE WHEN c.oid IS NULL THEN concat('constraint ', guard.name, ' of ', guard.relation, ' is missing')
            WHEN NOT c.convalidated THEN concat('constraint ', guard.name, ' of ', guard.relation, ' is not validated') END
FROM (VALUES ('balance', 'balance_parts_are_not_negative'), ('balance', 'balance_held_is_covered'),
             ('credit_grant', 'credit_grant_remaining_is_covered'), ('credit_grant', 'credit_grant_amount_is_positive'),
             ('ledger_entry', 'ledger_entry_moves_something'), ('ledger_entry', 'ledger_entry_names_its_grant'),
             ('usage_event', 'usage_event_charge_is_not_negative'), ('hold', 'hold_amounts_are_not_negative'),
             ('limit_counter', 'limit_counter_is_not_negative'), ('run', 'run_counts_are_not_negative')
) AS guard (relation, name)
LEFT JOIN pg_constraint c ON c.conrelid = to_regclass(guard.relation) AND c.conname = guard.name
