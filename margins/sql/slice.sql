slice AS (
    SELECT * FROM unnest(
        %(slice_first_day)s::date[], %(slice_end_day)s::date[],
        %(slice_starts_at)s::timestamptz[], %(slice_ends_at)s::timestamptz[]
    ) WITH ORDINALITY AS slice (first_day, end_day, starts_at, ends_at, number)
)
