-- Trees of runs by their depth. A run's sums contain those inside it, so a whole tree's cost is its outermost run's,
-- and what that run's own calls cost is the rest after its children.
WITH outermost AS (
    SELECT customer_id, id, cost_nanousd FROM run
    WHERE opened_at >= %(since)s AND opened_at < %(until)s AND cardinality(ancestors) = 0
),
tree AS (
    SELECT outermost.customer_id, outermost.id, outermost.cost_nanousd,
           1 + coalesce(max(cardinality(inner_run.ancestors)), 0) AS depth, 1 + count(inner_run.id) AS runs,
           coalesce(sum(inner_run.cost_nanousd) FILTER (WHERE cardinality(inner_run.ancestors) = 1), 0) AS children
    FROM outermost
    -- A child opens after its parent, as far as two clocks agree (kernel/clock.py: FUTURE_SKEW).
    LEFT JOIN run inner_run ON inner_run.customer_id = outermost.customer_id AND inner_run.ancestors[1] = outermost.id
        AND inner_run.opened_at >= %(since)s - interval '5 minutes'
    GROUP BY 1, 2, 3
)
SELECT tree.depth, count(*), sum(tree.runs), sum(run.steps), sum(tree.cost_nanousd), sum(tree.cost_nanousd - tree.children)
FROM tree JOIN run USING (customer_id, id)
GROUP BY 1 ORDER BY 1
