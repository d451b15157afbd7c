-- What subscriptions earn in each slice: the price of every billing period, evenly over the period, for the time
-- the subscription was in force and no trial (margins/recognition.py: subscription_revenue).
WITH stay AS MATERIALIZED (
    -- How many months lie between the anchor's and the first one asked for, in whole billing periods.
    SELECT s.customer_id, s.plan_version_id, v.price * 1000000000 AS price_nano, v.price_currency AS currency,
           s.anchor AT TIME ZONE 'UTC' AS anchor, step.months,
           floor(months_between(s.anchor, greatest(s.started_at, %(since)s)) / step.months)::int * step.months AS gone,
           greatest(s.started_at, trial.ended_at) AS since, least(s.ended_at, %(until)s) AS until
    FROM subscription s
    JOIN plan_version v ON v.id = s.plan_version_id AND v.price > 0
    CROSS JOIN LATERAL (SELECT CASE v.interval WHEN 'year' THEN 12 ELSE 1 END AS months) step
    -- Of a trial Stripe keeps, until its end: whoever went on a plan during it, or changed plans, is not billed yet.
    LEFT JOIN (
        SELECT customer_id, trial_end AS ended_at,
               to_timestamp((raw->>'trial_start')::double precision) - interval '1 hour' AS started_at
        FROM stripe_subscription WHERE trial_end IS NOT NULL AND NOT surplus
    ) trial ON trial.customer_id = s.customer_id AND s.started_at >= trial.started_at AND s.started_at < trial.ended_at
    WHERE s.started_at < %(until)s AND (s.ended_at IS NULL OR s.ended_at > %(since)s)
      AND (%(customers)s::bigint[] IS NULL OR s.customer_id = ANY(%(customers)s::bigint[]))
),
-- Monthly periods there can be in the slices, counted from the one before; a join, as a function called for each
-- subscription costs more than all the rest. Of yearly periods most of these fall behind `until`.
nth AS MATERIALIZED (SELECT generate_series(-1, months_between(%(since)s, %(until)s)::int) AS nth),
period AS MATERIALIZED (
    SELECT stay.customer_id, stay.plan_version_id, stay.price_nano, stay.currency, bounds.starts_at, bounds.ends_at,
           greatest(bounds.starts_at, stay.since) AS since, least(bounds.ends_at, stay.until) AS until
    FROM stay
    CROSS JOIN nth
    -- Counted from the anchor each time, in UTC whatever the session's zone: 31 January, 28 February, 31 March.
    CROSS JOIN LATERAL (
        SELECT (stay.anchor + make_interval(months => stay.gone + nth * stay.months)) AT TIME ZONE 'UTC' AS starts_at,
               (stay.anchor + make_interval(months => stay.gone + (nth + 1) * stay.months)) AT TIME ZONE 'UTC' AS ends_at
    ) bounds
    WHERE bounds.ends_at > greatest(stay.since, %(since)s) AND bounds.starts_at < stay.until
)
SELECT period.customer_id, slice.number AS slice, period.plan_version_id,
       NULL::bigint AS feature_id, NULL::text AS model, NULL::text AS user_key,
       period.currency, 'subscription' AS kind, NULL::bigint AS line_id,
       -- Most periods in a slice of months lie in it whole.
       CASE WHEN slice.starts_at <= period.starts_at AND slice.ends_at >= period.ends_at
                 AND period.since = period.starts_at AND period.until = period.ends_at THEN period.price_nano
            ELSE accrued_between(period.price_nano, period.starts_at, period.ends_at,
                                 greatest(slice.starts_at, period.since), least(slice.ends_at, period.until))
       END AS amount_nano
FROM period
JOIN slice ON slice.starts_at < period.until AND slice.ends_at > period.since
