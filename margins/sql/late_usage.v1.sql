-- Usage that was heard of after its UTC day was over: what restates that day's cost. Rare, so the index is small and
-- an event in time pays only for the comparison.

CREATE INDEX IF NOT EXISTS usage_event_late ON usage_event (occurred_at)
    WHERE (received_at AT TIME ZONE 'UTC')::date > (occurred_at AT TIME ZONE 'UTC')::date;
