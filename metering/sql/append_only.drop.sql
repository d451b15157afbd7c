DROP TRIGGER IF EXISTS usage_event_is_append_only ON usage_event;
DROP FUNCTION IF EXISTS refuse_change_unless_archiving();
DROP FUNCTION IF EXISTS refuse_change();
