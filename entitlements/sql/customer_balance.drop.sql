DROP TRIGGER IF EXISTS customer_has_balance ON customer;
DROP FUNCTION IF EXISTS customer_has_balance();
