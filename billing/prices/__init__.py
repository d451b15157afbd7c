"""What plans are called at Stripe: products and prices, made from the published catalogue.

`changes.py` compares, `applying.py` does what the comparison says. A published version never changes, so neither does
its price.
"""
