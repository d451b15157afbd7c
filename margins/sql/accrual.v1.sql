-- The part of a total earned evenly over [starts_at, ends_at) that falls in [since, until), as the difference of
-- two cumulative amounts rounded down: parts always sum to the whole. The twin of margins/recognition.py:
-- accrued_between; a test holds them equal. One expression, so that the planner inlines it.

CREATE OR REPLACE FUNCTION accrued_between(
    total_nano numeric, starts_at timestamptz, ends_at timestamptz, since timestamptz, until timestamptz
) RETURNS numeric LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT div(total_nano * extract(epoch FROM least(greatest(until, starts_at), ends_at) - starts_at),
               extract(epoch FROM ends_at - starts_at))
         - div(total_nano * extract(epoch FROM least(greatest(least(since, until), starts_at), ends_at) - starts_at),
               extract(epoch FROM ends_at - starts_at))
$$;

-- Calendar months (UTC) from one instant's month to the other's; negative when it lies before.
CREATE OR REPLACE FUNCTION months_between(since timestamptz, until timestamptz)
RETURNS numeric LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (extract(year FROM until AT TIME ZONE 'UTC') - extract(year FROM since AT TIME ZONE 'UTC')) * 12
         + extract(month FROM until AT TIME ZONE 'UTC') - extract(month FROM since AT TIME ZONE 'UTC')
$$;
