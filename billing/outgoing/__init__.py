"""Outgoing webhooks: what is in the outbox, told to the product's own addresses, signed, until each has heard it.

`kinds.py` lists what can be told. `dispatching.py` makes a delivery of each message for each endpoint that wants it;
`delivering.py` takes deliveries that are due, has `sending.py` post them, and writes down what came of it.
"""
