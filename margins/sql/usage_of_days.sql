u AS (
    SELECT * FROM usage_day
    WHERE day >= %(first_day)s AND day < %(end_day)s
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s::bigint[]))
)
