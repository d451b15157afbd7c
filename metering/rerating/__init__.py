"""Correcting what past usage cost us: adjustments beside the events, never changes of them (docs/adr/0014)."""
