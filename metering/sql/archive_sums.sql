-- What the events of a span add up to, in the order of metering.events.SUMS.
SELECT count(*), count(*) FILTER (WHERE memoised), count(*) FILTER (WHERE cost_nanousd IS NULL),
       count(*) FILTER (WHERE charged_microcredits IS NULL), sum(input_tokens), sum(cache_read_tokens),
       sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(output_tokens), sum(reasoning_tokens),
       sum(charged_microcredits), sum(cost_nanousd), sum(computed_cost_nanousd), sum(reported_cost_nanousd)
FROM usage_event
WHERE occurred_at >= %(start)s AND occurred_at < %(end)s
  AND (%(customer_id)s::bigint IS NULL OR customer_id = %(customer_id)s)
