DROP TRIGGER IF EXISTS api_key_bumps_cache_revision ON api_key;
DROP FUNCTION IF EXISTS bump_cache_revision();
