-- Facts are not edited: corrections are new rows. Old events leave only by the archive command,
-- which says so for its own transaction (SET LOCAL weir.archiving = 'on') and leaves tombstones.

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_is_append_only';
END
$$;

CREATE OR REPLACE FUNCTION refuse_change_unless_archiving() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('weir.archiving', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_is_append_only';
END
$$;

CREATE OR REPLACE TRIGGER usage_event_is_append_only BEFORE UPDATE OR DELETE ON usage_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change_unless_archiving();

-- Rollup rows are updated by every event: room on the page keeps those updates HOT.
ALTER TABLE usage_day SET (fillfactor = 70);
ALTER TABLE usage_month SET (fillfactor = 50);
