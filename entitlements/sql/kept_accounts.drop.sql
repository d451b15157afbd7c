DROP TRIGGER IF EXISTS entitlement_moves_account ON entitlement;
DROP TRIGGER IF EXISTS customer_moves_account ON customer;
DROP FUNCTION IF EXISTS move_account();
DROP FUNCTION IF EXISTS decide_again_unless(boolean);
