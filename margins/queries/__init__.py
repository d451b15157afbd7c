"""Margin figures from the daily rollup, the ledger and the subscriptions, by sets. Reads only."""
