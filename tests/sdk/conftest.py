from tests.live import live_gate, live_key

__all__ = ["live_gate", "live_key"]
