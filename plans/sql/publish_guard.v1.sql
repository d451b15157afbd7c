-- A published plan or rate card version never changes: what subscribers bought stays what they have.

CREATE OR REPLACE FUNCTION plan_version_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status <> 'draft' THEN
            RAISE EXCEPTION 'plan version % is %: it cannot be deleted', OLD.id, OLD.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_version_is_published';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.status = 'draft' THEN
        RETURN NEW;
    END IF;
    -- The one change left: published → retired.
    IF OLD.status = 'published' AND NEW.status = 'retired'
       AND (to_jsonb(NEW) - 'status' - 'retired_at') = (to_jsonb(OLD) - 'status' - 'retired_at') THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) = to_jsonb(OLD) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'plan version % is %: it cannot be changed', OLD.id, OLD.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_version_is_published';
END
$$;

CREATE OR REPLACE FUNCTION plan_part_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    state text;
BEGIN
    FOREACH owner IN ARRAY CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.plan_version_id]
        WHEN 'DELETE' THEN ARRAY[OLD.plan_version_id]
        ELSE ARRAY[OLD.plan_version_id, NEW.plan_version_id] END
    LOOP
        -- FOR SHARE: publishing waits for us or we see it published, never in between.
        SELECT status INTO state FROM plan_version WHERE id = owner FOR SHARE;
        IF state <> 'draft' AND NOT (TG_OP = 'UPDATE' AND to_jsonb(NEW) = to_jsonb(OLD)) THEN
            RAISE EXCEPTION 'plan version % is %: its % cannot be changed', owner, state, TG_TABLE_NAME
                USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_version_is_published';
        END IF;
    END LOOP;
    RETURN COALESCE(NEW, OLD);
END
$$;

CREATE OR REPLACE FUNCTION rate_card_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'published' AND (TG_OP = 'DELETE' OR to_jsonb(NEW) <> to_jsonb(OLD)) THEN
        RAISE EXCEPTION 'rate card version % is published: it cannot be changed', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rate_card_is_published';
    END IF;
    RETURN COALESCE(NEW, OLD);
END
$$;

CREATE OR REPLACE FUNCTION rate_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    state text;
BEGIN
    FOREACH owner IN ARRAY CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.version_id]
        WHEN 'DELETE' THEN ARRAY[OLD.version_id]
        ELSE ARRAY[OLD.version_id, NEW.version_id] END
    LOOP
        SELECT status INTO state FROM rate_card_version WHERE id = owner FOR SHARE;
        IF state = 'published' AND NOT (TG_OP = 'UPDATE' AND to_jsonb(NEW) = to_jsonb(OLD)) THEN
            RAISE EXCEPTION 'rate card version % is published: its rates cannot be changed', owner
                USING ERRCODE = 'check_violation', CONSTRAINT = 'rate_card_is_published';
        END IF;
    END LOOP;
    RETURN COALESCE(NEW, OLD);
END
$$;

CREATE OR REPLACE FUNCTION token_rate_is_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    state text;
BEGIN
    FOREACH owner IN ARRAY CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.rate_id]
        WHEN 'DELETE' THEN ARRAY[OLD.rate_id]
        ELSE ARRAY[OLD.rate_id, NEW.rate_id] END
    LOOP
        SELECT v.status INTO state FROM rate r JOIN rate_card_version v ON v.id = r.version_id
            WHERE r.id = owner FOR SHARE OF v;
        IF state = 'published' AND NOT (TG_OP = 'UPDATE' AND to_jsonb(NEW) = to_jsonb(OLD)) THEN
            RAISE EXCEPTION 'the rate card version of rate % is published: it cannot be changed', owner
                USING ERRCODE = 'check_violation', CONSTRAINT = 'rate_card_is_published';
        END IF;
    END LOOP;
    RETURN COALESCE(NEW, OLD);
END
$$;

CREATE OR REPLACE TRIGGER plan_version_is_published BEFORE UPDATE OR DELETE ON plan_version
    FOR EACH ROW EXECUTE FUNCTION plan_version_is_published();
CREATE OR REPLACE TRIGGER plan_entitlement_is_published BEFORE INSERT OR UPDATE OR DELETE ON plan_entitlement
    FOR EACH ROW EXECUTE FUNCTION plan_part_is_published();
CREATE OR REPLACE TRIGGER plan_limit_is_published BEFORE INSERT OR UPDATE OR DELETE ON plan_limit
    FOR EACH ROW EXECUTE FUNCTION plan_part_is_published();
CREATE OR REPLACE TRIGGER fallback_step_is_published BEFORE INSERT OR UPDATE OR DELETE ON fallback_step
    FOR EACH ROW EXECUTE FUNCTION plan_part_is_published();
CREATE OR REPLACE TRIGGER rate_card_is_published BEFORE UPDATE OR DELETE ON rate_card_version
    FOR EACH ROW EXECUTE FUNCTION rate_card_is_published();
CREATE OR REPLACE TRIGGER rate_is_published BEFORE INSERT OR UPDATE OR DELETE ON rate
    FOR EACH ROW EXECUTE FUNCTION rate_is_published();
CREATE OR REPLACE TRIGGER token_rate_is_published BEFORE INSERT OR UPDATE OR DELETE ON token_rate
    FOR EACH ROW EXECUTE FUNCTION token_rate_is_published();
