DROP TRIGGER IF EXISTS usage_tombstone_is_append_only ON usage_tombstone;
DROP TRIGGER IF EXISTS usage_tombstone_is_archived ON usage_tombstone;
DROP TRIGGER IF EXISTS archived_usage_day_is_archived ON archived_usage_day;
DROP FUNCTION IF EXISTS refuse_unless_archiving();
