-- In place of unread.sql and earned.sql where every ledger has been added up.
earned AS (
    SELECT NULL::bigint AS customer_id, NULL::date AS day, NULL::bigint AS plan_version_id, NULL::bigint AS feature_id,
           NULL::text AS model, NULL::text AS user_key, NULL::text AS kind, NULL::text AS currency, NULL::numeric AS amount_nano,
           NULL::timestamptz AS recorded_at, NULL::boolean AS is_late
    WHERE false
)
