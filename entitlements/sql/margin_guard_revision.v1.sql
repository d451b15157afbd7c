-- A floor set or ended acts from its commit on: every gate reads what it keeps of guards again.
CREATE OR REPLACE TRIGGER margin_guard_bumps_cache_revision AFTER INSERT OR UPDATE OR DELETE ON margin_guard
    FOR EACH STATEMENT EXECUTE FUNCTION bump_cache_revision();
