CREATE OR REPLACE FUNCTION bump_cache_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cache_revision (id, revision) VALUES (1, 1)
        ON CONFLICT (id) DO UPDATE SET revision = cache_revision.revision + 1;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER api_key_bumps_cache_revision
    AFTER INSERT OR DELETE OR UPDATE OF digest, scopes, revoked_at ON api_key
    FOR EACH STATEMENT EXECUTE FUNCTION bump_cache_revision();
