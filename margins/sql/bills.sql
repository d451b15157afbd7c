-- What customers were asked to pay until `until`, before tax: packs when they were paid; subscriptions by their Stripe
-- invoices, or, before a customer's first of those, at the plan's price for what was left of each period when it began or
-- the plan changed, less what a change left unused; overage when it was invoiced, or, where nobody invoices it, when its
-- period ended; and money that went back, or returned, when it was recorded. Nano-units.
first_invoice AS (
    SELECT customer_id, min(created_at) - interval '1 hour' AS at
    FROM stripe_invoice WHERE subscription_id <> '' AND status NOT IN ('draft', 'deleted') GROUP BY customer_id
),
billed_period AS (
    SELECT s.customer_id, v.price * 1000000000 AS price_nano, v.price_currency AS currency, s.ended_at,
           bounds.starts_at, bounds.ends_at, greatest(bounds.starts_at, s.started_at) AS since,
           EXISTS (SELECT FROM subscription n WHERE n.customer_id = s.customer_id AND n.started_at = s.ended_at AND n.id <> s.id)
               AS is_followed
    FROM subscription s
    JOIN plan_version v ON v.id = s.plan_version_id AND v.price > 0
    CROSS JOIN LATERAL (SELECT CASE v.interval WHEN 'year' THEN 12 ELSE 1 END AS months) step
    CROSS JOIN LATERAL generate_series(
        div(months_between(s.anchor, s.started_at), step.months)::int - 1,
        div(months_between(s.anchor, least(s.ended_at, %(until)s)), step.months)::int
    ) AS nth
    CROSS JOIN LATERAL (
        SELECT (s.anchor AT TIME ZONE 'UTC' + make_interval(months => nth * step.months)) AT TIME ZONE 'UTC' AS starts_at,
               (s.anchor AT TIME ZONE 'UTC' + make_interval(months => (nth + 1) * step.months)) AT TIME ZONE 'UTC' AS ends_at
    ) bounds
    WHERE s.started_at < %(until)s AND (s.ended_at IS NULL OR s.ended_at > s.started_at)
      AND bounds.ends_at > s.started_at AND (s.ended_at IS NULL OR bounds.starts_at < s.ended_at)
      AND (%(customers)s::bigint[] IS NULL OR s.customer_id = ANY(%(customers)s::bigint[]))
),
invoiced_overage AS (
    SELECT invoice_id, sum(amount) AS amount FROM overage_item WHERE state = 'invoiced' GROUP BY invoice_id
),
local_bill AS (
    SELECT customer_id, 'subscription' AS kind, currency, since AS at,
           accrued_between(price_nano, starts_at, ends_at, since, ends_at) AS amount_nano
    FROM billed_period
    UNION ALL
    SELECT customer_id, 'subscription', currency, ended_at,
           -accrued_between(price_nano, starts_at, ends_at, ended_at, ends_at)
    FROM billed_period WHERE is_followed AND ended_at > since AND ended_at < ends_at
),
bill AS (
    SELECT local_bill.* FROM local_bill LEFT JOIN first_invoice USING (customer_id)
    WHERE local_bill.at < coalesce(first_invoice.at, 'infinity')
    UNION ALL
    SELECT i.customer_id, 'subscription', i.total_currency, coalesce(i.finalized_at, i.created_at),
           (i.total - i.tax - coalesce(o.amount, 0)) * 1000000000
    FROM stripe_invoice i LEFT JOIN invoiced_overage o ON o.invoice_id = i.id
    WHERE i.subscription_id <> '' AND i.status IN ('open', 'paid')
    UNION ALL
    SELECT customer_id, 'credits', paid_currency, created_at, paid * 1000000000
    FROM credit_grant WHERE paid > 0 AND source NOT IN ('allowance', 'rollover')
    UNION ALL
    SELECT customer_id, 'overage', amount_currency, invoiced_at, amount * 1000000000
    FROM overage_item WHERE state = 'invoiced'
    UNION ALL
    SELECT e.customer_id, 'overage', v.overage_price_currency, e.effective_at, round(e.amount_microcredits * v.overage_price * 1000)
    FROM ledger_entry e
    JOIN subscription s ON s.customer_id = e.customer_id AND s.started_at < e.effective_at
                       AND (s.ended_at IS NULL OR s.ended_at >= e.effective_at)
    JOIN plan_version v ON v.id = s.plan_version_id AND v.overage_price IS NOT NULL
    WHERE e.kind = %(overage_billed)s AND e.effective_at >= %(since)s AND e.effective_at < %(until)s
      AND NOT EXISTS (SELECT FROM overage_item o WHERE o.customer_id = e.customer_id AND o.seq = e.seq)
    UNION ALL
    SELECT customer_id, 'refunds', amount_currency, recorded_at, amount * 1000000000
    FROM reversal
)
