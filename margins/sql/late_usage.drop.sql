DROP INDEX IF EXISTS usage_event_late;
