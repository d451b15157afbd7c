-- What stands for archived events is as final as they were: a tombstone never changes or goes, or its key could be
-- counted twice; the archived sums only grow, and only in a transaction that says it is archiving.

CREATE OR REPLACE FUNCTION refuse_unless_archiving() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' AND current_setting('weir.archiving', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is written by the archive only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_is_archived';
END
$$;

CREATE OR REPLACE TRIGGER usage_tombstone_is_append_only BEFORE UPDATE OR DELETE ON usage_tombstone
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER usage_tombstone_is_archived BEFORE INSERT ON usage_tombstone
    FOR EACH ROW EXECUTE FUNCTION refuse_unless_archiving();
CREATE OR REPLACE TRIGGER archived_usage_day_is_archived BEFORE INSERT OR UPDATE OR DELETE ON archived_usage_day
    FOR EACH ROW EXECUTE FUNCTION refuse_unless_archiving();
