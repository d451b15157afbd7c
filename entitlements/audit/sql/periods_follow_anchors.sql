-- The stored period is a whole number of intervals from the anchor (months by the calendar in UTC, counted from the
-- anchor, so that the 31st comes back after February), and the account is valid inside it.
SELECT b.customer_id,
       CASE WHEN b.plan_version_id IS NULL AND num_nonnulls(b.period_start, b.period_end, b.allowance_end) > 0
            THEN 'has a period and no plan'
            WHEN b.plan_version_id IS NULL THEN NULL
            WHEN num_nulls(b.anchor, b.period_start, b.period_end, b.valid_until) > 0
            THEN 'has a plan and no anchor, period or valid time'
            WHEN period.number %% period.months <> 0
              OR b.period_start <> (anchor.at + make_interval(months => period.number)) AT TIME ZONE 'UTC'
              OR b.period_end <> (anchor.at + make_interval(months => period.number + period.months)) AT TIME ZONE 'UTC'
            THEN concat('the period from ', b.period_start, ' to ', b.period_end, ' is not one counted from ', b.anchor)
            WHEN b.valid_until <= b.period_start OR b.valid_until > b.period_end
            THEN concat('is valid until ', b.valid_until, ', outside its period from ', b.period_start, ' to ', b.period_end)
       END AS fault
FROM balance b
LEFT JOIN plan_version p ON p.id = b.plan_version_id
CROSS JOIN LATERAL (SELECT b.anchor AT TIME ZONE 'UTC' AS at, b.period_start AT TIME ZONE 'UTC' AS start) anchor
CROSS JOIN LATERAL (
    SELECT CASE p.interval WHEN 'year' THEN 12 ELSE 1 END AS months,
           (12 * (extract(year FROM anchor.start) - extract(year FROM anchor.at))
            + extract(month FROM anchor.start) - extract(month FROM anchor.at))::integer AS number
) period
WHERE %(customer_id)s::bigint IS NULL OR b.customer_id = %(customer_id)s
