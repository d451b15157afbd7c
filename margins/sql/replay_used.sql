-- What some customers used since an instant of each, up to the start: what windows that reach back have taken.
SELECT e.customer_id, e.feature_id, e.model, e.user_key, count(*)::bigint, COALESCE(sum(e.charged_microcredits), 0)::bigint,
       COALESCE(sum(e.cost_nanousd), 0)::bigint, sum(e.input_tokens + e.output_tokens)::bigint
FROM unnest(%(whose)s::bigint[], %(reach)s::timestamptz[]) AS back (customer_id, since)
JOIN usage_event e ON e.customer_id = back.customer_id AND e.occurred_at >= back.since AND e.occurred_at < %(since)s
GROUP BY 1, 2, 3, 4
