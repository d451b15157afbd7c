"""The demo company, and replaying public traces."""
