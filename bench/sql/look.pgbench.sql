\set customer random(1, :customers)
SELECT available FROM bench_account WHERE customer_id = :customer;
