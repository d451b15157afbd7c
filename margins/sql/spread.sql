-- Give what belongs to a customer's day, but to no feature, model or user, to what was used that day: by share of the
-- credits charged, where nothing was charged by share of supplier cost, else it stays unallocated (0 and '').
-- Cumulative, so that the shares sum to the whole (margins/recognition.py: spread), and in the order of feature, model
-- and user, so that what goes to a feature's users is what goes to the feature. Slices are single days here.
used AS (
    SELECT u.customer_id, u.day - %(first_day)s::date + 1 AS slice, u.feature_id, u.model,
           CASE WHEN %(by_user)s THEN u.user_key ELSE '' END AS user_key,
           sum(u.charged_microcredits) AS charged, sum(u.cost_nanousd) AS cost
    FROM usage_day u
    WHERE u.day >= %(first_day)s AND u.day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR u.customer_id = ANY(%(customers)s::bigint[]))
    GROUP BY 1, 2, 3, 4, 5
),
share AS (
    SELECT customer_id, slice, feature_id, model, user_key, weight,
           sum(weight) OVER (PARTITION BY customer_id, slice ORDER BY feature_id, model, user_key) AS upto,
           sum(weight) OVER (PARTITION BY customer_id, slice) AS whole
    FROM (
        SELECT customer_id, slice, feature_id, model, user_key,
               CASE WHEN sum(charged) OVER (PARTITION BY customer_id, slice) > 0 THEN charged ELSE cost END AS weight
        FROM used
    ) weighed
    WHERE weight > 0
),
fact AS (
    SELECT source.customer_id, source.slice, source.plan_version_id,
           coalesce(source.feature_id, share.feature_id, 0) AS feature_id, coalesce(source.model, share.model, '') AS model,
           coalesce(source.user_key, share.user_key, '') AS user_key,
           source.currency, source.kind, source.line_id,
           CASE WHEN share.whole IS NULL THEN source.amount_nano
                ELSE sign(source.amount_nano) * grain.nano
                     * (div(abs(source.amount_nano) / grain.nano * share.upto, share.whole)
                        - div(abs(source.amount_nano) / grain.nano * (share.upto - share.weight), share.whole))
           END AS amount_nano
    FROM source
    -- Whole nano-units are shared out in whole ones; a cost that has femto-units, in those.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN source.amount_nano = trunc(source.amount_nano) THEN 1 ELSE 0.000001 END AS nano
    ) grain
    -- Said so that what belongs to a feature meets no share at all, instead of each of its day's.
    LEFT JOIN share
        ON share.customer_id = CASE WHEN source.feature_id IS NULL THEN source.customer_id END AND share.slice = source.slice
)
