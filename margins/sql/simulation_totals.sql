-- A simulation's figures by billing currency.
SELECT currency, count(*)::bigint AS customers, sum(real_calls)::text AS real_calls, sum(calls)::text AS calls,
       sum(real_microcredits)::text AS real_microcredits, sum(microcredits)::text AS microcredits,
       sum(real_cost_nanousd)::text AS real_cost_nanousd, sum(cost_nanousd)::text AS cost_nanousd,
       sum(real_revenue_nano)::text AS real_revenue_nano, sum(revenue_nano)::text AS revenue_nano,
       sum(unpriced_calls)::text AS unpriced_calls, sum(unrated_calls)::text AS unrated_calls,
       sum(moved_calls)::text AS moved_calls, sum(downgraded_calls)::text AS downgraded_calls,
       sum(refused_calls)::text AS refused_calls, sum(lost_microcredits)::text AS lost_microcredits,
       sum(saved_nanousd)::text AS saved_nanousd, sum(debt_microcredits)::text AS debt_microcredits,
       count(*) FILTER (WHERE first_limit <> '')::bigint AS limited_customers,
       count(*) FILTER (WHERE refused_calls > 0)::bigint AS refused_customers
FROM simulation_row
WHERE simulation_id = %(simulation_id)s
GROUP BY currency
ORDER BY currency
