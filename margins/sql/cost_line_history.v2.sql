-- A cost line's figures never change, so that a margin once shown can be shown again. What may move is
-- its end, its name and its note. Two lines that say the same thing may not hold on the same day.

CREATE OR REPLACE FUNCTION cost_line_keeps_its_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'cost line % is kept: end it instead', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'cost_line_keeps_its_history';
    END IF;
    IF TG_OP = 'UPDATE'
       AND (to_jsonb(NEW) - 'ends_on' - 'name' - 'note') <> (to_jsonb(OLD) - 'ends_on' - 'name' - 'note') THEN
        RAISE EXCEPTION 'cost line % is dated history: end it and start another', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'cost_line_keeps_its_history';
    END IF;
    -- Two writers of one key wait for each other; otherwise neither would see the other's row.
    PERFORM pg_advisory_xact_lock(hashtextextended('cost_line:' || NEW.key, 0));
    IF EXISTS (
        SELECT FROM cost_line o
        WHERE o.key = NEW.key AND o.id IS DISTINCT FROM NEW.id AND o.basis = NEW.basis
          AND o.customer_id IS NOT DISTINCT FROM NEW.customer_id
          AND o.plan_id IS NOT DISTINCT FROM NEW.plan_id
          AND o.feature_id IS NOT DISTINCT FROM NEW.feature_id
          AND o.meter = NEW.meter
          AND daterange(o.starts_on, o.ends_on) && daterange(NEW.starts_on, NEW.ends_on)
    ) THEN
        RAISE EXCEPTION 'cost line % already holds on some of these days', NEW.key
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'cost_line_holds_once';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER cost_line_keeps_its_history BEFORE INSERT OR UPDATE OR DELETE ON cost_line
    FOR EACH ROW EXECUTE FUNCTION cost_line_keeps_its_history();
