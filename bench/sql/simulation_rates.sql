-- The margin bench's events name no rate and no reported model, since margins need neither: a replay does.
ALTER TABLE usage_event DISABLE TRIGGER usage_event_is_append_only;
UPDATE usage_event SET rate_id = (SELECT min(id) FROM rate), reported_model = model WHERE rate_id IS NULL;
ALTER TABLE usage_event ENABLE TRIGGER usage_event_is_append_only;
VACUUM (ANALYZE) usage_event;
