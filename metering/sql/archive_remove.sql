-- Take archived events out, leave their keys behind, and keep what they had added to their days: one statement, so
-- all of it happens or nothing. Only an event with the archived body leaves; one that has left before is passed over.
WITH gone AS (
    DELETE FROM usage_event e
    USING unnest(%(customer_id)s::bigint[], %(key_digest)s::uuid[], %(body_digest)s::uuid[])
        AS archived (customer_id, key_digest, body_digest)
    WHERE e.customer_id = archived.customer_id AND e.key_digest = archived.key_digest
      AND e.body_digest = archived.body_digest
    RETURNING e.*
), tombstones AS (
    INSERT INTO usage_tombstone
        (customer_id, key_digest, body_digest, charged_microcredits, cost_nanousd, archived_at)
    SELECT customer_id, key_digest, body_digest, charged_microcredits, cost_nanousd, %(now)s FROM gone
)
INSERT INTO archived_usage_day AS a
    (customer_id, day, plan_version_id, feature_id, model, user_key, calls, memoised_calls, unpriced_calls,
     unrated_calls, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
     reasoning_tokens, charged_microcredits, cost_nanousd, computed_cost_nanousd, reported_cost_nanousd)
SELECT customer_id, (occurred_at AT TIME ZONE 'UTC')::date, plan_version_id, feature_id, model, user_key,
       count(*), count(*) FILTER (WHERE memoised), count(*) FILTER (WHERE cost_nanousd IS NULL),
       count(*) FILTER (WHERE charged_microcredits IS NULL), sum(input_tokens), sum(cache_read_tokens),
       sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(output_tokens), sum(reasoning_tokens),
       COALESCE(sum(charged_microcredits), 0), COALESCE(sum(cost_nanousd), 0),
       COALESCE(sum(computed_cost_nanousd), 0), COALESCE(sum(reported_cost_nanousd), 0)
FROM gone
GROUP BY 1, 2, 3, 4, 5, 6
ON CONFLICT (customer_id, day, plan_version_id, feature_id, model, user_key) DO UPDATE SET
    calls = a.calls + excluded.calls,
    memoised_calls = a.memoised_calls + excluded.memoised_calls,
    unpriced_calls = a.unpriced_calls + excluded.unpriced_calls,
    unrated_calls = a.unrated_calls + excluded.unrated_calls,
    input_tokens = a.input_tokens + excluded.input_tokens,
    cache_read_tokens = a.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_5m_tokens = a.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = a.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    output_tokens = a.output_tokens + excluded.output_tokens,
    reasoning_tokens = a.reasoning_tokens + excluded.reasoning_tokens,
    charged_microcredits = a.charged_microcredits + excluded.charged_microcredits,
    cost_nanousd = a.cost_nanousd + excluded.cost_nanousd,
    computed_cost_nanousd = a.computed_cost_nanousd + excluded.computed_cost_nanousd,
    reported_cost_nanousd = a.reported_cost_nanousd + excluded.reported_cost_nanousd
