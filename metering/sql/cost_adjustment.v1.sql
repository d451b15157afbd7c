-- An adjustment is as final as the event it corrects: it is undone by another row.
CREATE OR REPLACE TRIGGER cost_adjustment_is_append_only BEFORE UPDATE OR DELETE ON cost_adjustment
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
