"""The deciding core: pure functions from a loaded account to an answer and its effects. No I/O, no Django."""
