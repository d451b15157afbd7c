-- Give what belongs to a customer's day, but to no feature or model, to what was used that day: by share of the
-- credits charged, where nothing was charged by share of supplier cost, else it stays unallocated (0 and '').
-- Cumulative, so that the shares sum to the whole (margins/recognition.py: spread). Slices are single days here.
fact AS (
    SELECT fact.customer_id, fact.slice, fact.plan_version_id,
           coalesce(fact.feature_id, share.feature_id, 0) AS feature_id, coalesce(fact.model, share.model, '') AS model,
           fact.currency, fact.kind, fact.line_id,
           CASE WHEN share.whole IS NULL THEN fact.amount_nano
                ELSE sign(fact.amount_nano) * (div(abs(fact.amount_nano) * share.upto, share.whole)
                                             - div(abs(fact.amount_nano) * (share.upto - share.weight), share.whole))
           END AS amount_nano
    FROM source AS fact
    LEFT JOIN (
        SELECT customer_id, slice, feature_id, model, weight,
               sum(weight) OVER (PARTITION BY customer_id, slice ORDER BY feature_id, model) AS upto,
               sum(weight) OVER (PARTITION BY customer_id, slice) AS whole
        FROM (
            SELECT u.customer_id, slice.number AS slice, u.feature_id, u.model,
                   CASE WHEN sum(sum(u.charged_microcredits)) OVER (PARTITION BY u.customer_id, slice.number) > 0
                        THEN sum(u.charged_microcredits) ELSE sum(u.cost_nanousd) END AS weight
            FROM usage_day u JOIN slice ON u.day = slice.first_day
            WHERE u.day >= %(first_day)s AND u.day < %(end_day)s
              AND (%(customers)s::bigint[] IS NULL OR u.customer_id = ANY(%(customers)s::bigint[]))
            GROUP BY u.customer_id, slice.number, u.feature_id, u.model
        ) used
        WHERE weight > 0
    ) share ON fact.feature_id IS NULL AND share.customer_id = fact.customer_id AND share.slice = fact.slice
)
