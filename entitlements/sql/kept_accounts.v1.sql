-- What lets a process keep accounts between its batches (store/accounts.py, gate/kept.py): the row that last wrote a
-- balance (its xmin) is the account's version, and whoever changes anything of an account writes its balance row too.

-- Ends a transaction whose writes were decided on something that is not so any more.
CREATE OR REPLACE FUNCTION decide_again_unless(still_so boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF still_so IS NOT TRUE THEN
        RAISE EXCEPTION 'decided on what has changed since' USING ERRCODE = 'serialization_failure';
    END IF;
END $$;

-- The rows that belong to an account and are written without opening it.
CREATE OR REPLACE FUNCTION move_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE balance SET customer_id = customer_id
    WHERE customer_id IN (
        (to_jsonb(OLD) ->> TG_ARGV[0])::bigint, (to_jsonb(NEW) ->> TG_ARGV[0])::bigint);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER customer_moves_account AFTER UPDATE ON customer
    FOR EACH ROW EXECUTE FUNCTION move_account('id');
CREATE OR REPLACE TRIGGER entitlement_moves_account AFTER INSERT OR UPDATE OR DELETE ON entitlement
    FOR EACH ROW EXECUTE FUNCTION move_account('customer_id');
