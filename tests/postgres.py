"""Puts the database's address into the environment before anything reads the settings (``-p tests.postgres``)."""

import os

from config import embedded_postgres

os.environ.setdefault("LOG_LEVEL", "WARNING")
embedded_postgres.database_url()
# A database per run, so that two runs on one server do not meet; parallel workers add their own suffix.
os.environ.setdefault("TEST_DATABASE", f"test_weir_{os.getpid()}")
