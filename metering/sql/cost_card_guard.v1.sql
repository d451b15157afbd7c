-- A published cost card never changes, so what an event was stamped with can always be read again.
-- The one thing left open is its end, and that may be set once.

CREATE OR REPLACE FUNCTION cost_card_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'published' THEN
        IF TG_OP = 'DELETE' OR NOT (
            to_jsonb(NEW) = to_jsonb(OLD)
            OR (OLD.effective_until IS NULL
                AND (to_jsonb(NEW) - 'effective_until') = (to_jsonb(OLD) - 'effective_until'))
        ) THEN
            RAISE EXCEPTION 'cost card % is published: it cannot be changed', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'cost_card_is_published';
        END IF;
    END IF;
    RETURN COALESCE(NEW, OLD);
END
$$;

CREATE OR REPLACE FUNCTION cost_rate_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    state text;
BEGIN
    FOREACH owner IN ARRAY CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.card_id]
        WHEN 'DELETE' THEN ARRAY[OLD.card_id]
        ELSE ARRAY[OLD.card_id, NEW.card_id] END
    LOOP
        SELECT status INTO state FROM cost_card WHERE id = owner FOR SHARE;
        IF state = 'published' AND NOT (TG_OP = 'UPDATE' AND to_jsonb(NEW) = to_jsonb(OLD)) THEN
            RAISE EXCEPTION 'cost card % is published: its rates cannot be changed', owner
                USING ERRCODE = 'check_violation', CONSTRAINT = 'cost_card_is_published';
        END IF;
    END LOOP;
    RETURN COALESCE(NEW, OLD);
END
$$;

CREATE OR REPLACE TRIGGER cost_card_is_published BEFORE UPDATE OR DELETE ON cost_card
    FOR EACH ROW EXECUTE FUNCTION cost_card_is_published();
CREATE OR REPLACE TRIGGER cost_rate_is_published BEFORE INSERT OR UPDATE OR DELETE ON cost_rate
    FOR EACH ROW EXECUTE FUNCTION cost_rate_is_published();
CREATE OR REPLACE TRIGGER cost_card_bumps_cache_revision AFTER INSERT OR UPDATE OR DELETE ON cost_card
    FOR EACH STATEMENT EXECUTE FUNCTION bump_cache_revision();
CREATE OR REPLACE TRIGGER cost_rate_bumps_cache_revision AFTER INSERT OR UPDATE OR DELETE ON cost_rate
    FOR EACH STATEMENT EXECUTE FUNCTION bump_cache_revision();
