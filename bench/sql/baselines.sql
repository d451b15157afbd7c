-- The least any correct system must keep: what is there, and why.
CREATE TABLE bench_account (
    customer_id bigint PRIMARY KEY,
    available bigint NOT NULL CHECK (available >= 0)
) WITH (fillfactor = 50);
CREATE TABLE bench_entry (
    customer_id bigint NOT NULL,
    key uuid NOT NULL,
    amount bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, key)
);
INSERT INTO bench_account SELECT number, 1000000000000000 FROM generate_series(1, %(customers)s) AS number;
-- What events are ingested into, with the same keys and indexes, and nothing else: no rollup, no ledger, no balance.
CREATE TABLE bench_event (LIKE usage_event INCLUDING ALL);
