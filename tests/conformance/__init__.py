"""The shared conformance cases, run against the real functions: ``python -m tests.conformance.run``."""
