slice AS MATERIALIZED (
    SELECT * FROM unnest(
        %(slice_first_day)s::date[], %(slice_end_day)s::date[],
        %(slice_starts_at)s::timestamptz[], %(slice_ends_at)s::timestamptz[]
    ) WITH ORDINALITY AS slice (first_day, end_day, starts_at, ends_at, number)
),
-- Which slice a day is in: rows find theirs by equality, which the planner can hash.
slice_day AS MATERIALIZED (
    SELECT slice.number, first_day + nth AS day
    FROM slice CROSS JOIN LATERAL generate_series(0, slice.end_day - slice.first_day - 1) AS nth
)
