DROP TRIGGER IF EXISTS usage_event_leaves_its_place ON usage_event;
DROP FUNCTION IF EXISTS usage_event_leaves_its_place();
