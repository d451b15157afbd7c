"""Making our rows agree with Stripe's objects, whatever of its webhooks came, in whatever order.

`registry.py` says who cares about which kind of object, `inbox.py` keeps events and works through them, and `sweep.py`
reads Stripe's own lists for what never came.
"""

from importlib import import_module

_WITH_CONVERGERS: tuple[str, ...] = (
    "billing.convergence.customers",
    "billing.convergence.payments",
    "billing.subscriptions.convergence",
    "billing.subscriptions.sweeping",
    "billing.invoices.mirror",
    "billing.overage.sweeping",
)


def load() -> None:
    """Import every module with convergers, so that they are registered."""
    for module in _WITH_CONVERGERS:
        import_module(module)
