-- Every customer has a balance row from the first instant, whoever inserts the customer.
CREATE OR REPLACE FUNCTION customer_has_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO balance (customer_id, posted_microcredits, held_microcredits, debt_microcredits, overage_microcredits,
                         ledger_seq)
    VALUES (NEW.id, 0, 0, 0, 0, 0);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER customer_has_balance AFTER INSERT ON customer
    FOR EACH ROW EXECUTE FUNCTION customer_has_balance();
