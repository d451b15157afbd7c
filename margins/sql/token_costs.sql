-- What lines per million tokens of one kind come to, row by row of the rollup of usage (`u`).
SELECT u.customer_id, slice.number AS slice, u.plan_version_id, u.feature_id, u.model, u.user_key,
       line.currency, NULL::text AS kind, line.id AS line_id,
       line.amount_nano * 0.000001 * CASE line.meter
           WHEN 'input_tokens' THEN u.input_tokens WHEN 'cache_read_tokens' THEN u.cache_read_tokens
           WHEN 'cache_write_5m_tokens' THEN u.cache_write_5m_tokens WHEN 'cache_write_1h_tokens' THEN u.cache_write_1h_tokens
           WHEN 'output_tokens' THEN u.output_tokens WHEN 'reasoning_tokens' THEN u.reasoning_tokens END AS amount_nano
FROM u
JOIN slice_day ON slice_day.day = u.day
JOIN slice ON slice.number = slice_day.number
LEFT JOIN plan_version v ON v.id = u.plan_version_id
JOIN line ON line.basis = 'per_million_tokens' AND line.meter <> ''
         AND line.starts_at <= slice.starts_at AND (line.ends_at IS NULL OR line.ends_at > slice.starts_at)
         AND (line.customer_id IS NULL OR line.customer_id = u.customer_id)
         AND (line.plan_id IS NULL OR line.plan_id = v.plan_id)
         AND (line.feature_id IS NULL OR line.feature_id = u.feature_id)
