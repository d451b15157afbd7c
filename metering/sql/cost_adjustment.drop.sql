DROP TRIGGER IF EXISTS cost_adjustment_is_append_only ON cost_adjustment;
