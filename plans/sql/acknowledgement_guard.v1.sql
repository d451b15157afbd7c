-- An acknowledgement is written while its version is a draft and never changes after (publish_guard's function).
CREATE OR REPLACE TRIGGER plan_acknowledgement_is_published BEFORE INSERT OR UPDATE OR DELETE ON plan_acknowledgement
    FOR EACH ROW EXECUTE FUNCTION plan_part_is_published();
