-- The mean call of each feature on each model since a month, where there were enough of them to know.
SELECT feature_id, model, sum(calls)::bigint, sum(input_tokens)::bigint, sum(cache_read_tokens)::bigint,
       sum(cache_write_5m_tokens)::bigint, sum(cache_write_1h_tokens)::bigint, sum(output_tokens)::bigint,
       sum(reasoning_tokens)::bigint
FROM usage_month
WHERE month >= %(since)s
GROUP BY feature_id, model
HAVING sum(calls) - sum(memoised_calls) >= %(enough)s
