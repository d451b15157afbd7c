"""The measuring instrument: what the service does per second, as ratios to raw PostgreSQL in the same run.

`python -m bench`; how to read what it prints: docs/bench.md.
"""
