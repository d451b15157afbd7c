DROP TRIGGER IF EXISTS margin_guard_bumps_cache_revision ON margin_guard;
