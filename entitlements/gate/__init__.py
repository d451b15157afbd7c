"""The gate: the endpoints apps call around every AI call, served beside Django on the same port.

No Django middleware, no ORM: bytes in, one batch of SQL, bytes out. Calls that arrive while a
batch is in flight share the next one's transaction.
"""
