-- Every customer's month from the events and the ledger themselves, without any rollup: what the report says must equal
-- this. Subscriptions and costs per customer need neither and are left to the report.
SELECT customer_id, coalesce(calls, 0), coalesce(unpriced, 0), coalesce(tokens, 0), coalesce(charged, 0), coalesce(cost, 0),
       coalesce(credits, 0)
FROM (
    SELECT customer_id, count(*) AS calls, count(*) FILTER (WHERE cost_nanousd IS NULL) AS unpriced,
           sum(input_tokens + output_tokens) AS tokens, sum(charged_microcredits) AS charged, sum(cost_nanousd) AS cost
    FROM usage_event WHERE occurred_at >= %(start)s AND occurred_at < %(end)s
    GROUP BY customer_id
) usage
FULL JOIN (
    -- What a grant had earned before the month, and after it: the difference is the month's.
    SELECT customer_id, sum(div(paid_nano * after, granted) - div(paid_nano * (after - used), granted))
                        FILTER (WHERE effective_at >= %(start)s AND effective_at < %(end)s) AS credits
    FROM (
        SELECT e.customer_id, e.effective_at, -e.amount_microcredits AS used, g.paid * 1000000000 AS paid_nano,
               g.amount_microcredits::numeric AS granted,
               -sum(e.amount_microcredits) OVER (PARTITION BY e.customer_id, e.grant_id ORDER BY e.seq) AS after
        FROM ledger_entry e JOIN credit_grant g ON g.customer_id = e.customer_id AND g.id = e.grant_id
        WHERE g.paid > 0 AND g.source NOT IN ('allowance', 'rollover') AND e.kind IN (2, 9)
    ) moved
    GROUP BY customer_id
) earned USING (customer_id)
