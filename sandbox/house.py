"""The whole sandbox in one object: what the server, the pages and the control interface work with."""

from dataclasses import dataclass

from sandbox.api import Api
from sandbox.courier import Manners, WebhookCourier
from sandbox.objects.webhook_endpoints import new_endpoint
from sandbox.specification import Specification
from sandbox.store import Store
from sandbox.world import World


@dataclass
class Options:
    """How a sandbox is set up. See ``python -m sandbox --help``."""

    state: str = ":memory:"
    base_url: str = ""
    webhook_url: str | None = None
    webhook_secret: str | None = None
    webhook_host: str | None = None
    seed: str | None = None
    start: int | None = None
    checks_answers: bool = False
    manners: Manners | None = None


class House:
    """A world, the API over it, and the courier."""

    def __init__(self, options: Options, specification: Specification | None) -> None:
        self.world = World(Store(options.state), seed=options.seed, start=options.start, base_url=options.base_url)
        self.api = Api(self.world, specification, checks_answers=options.checks_answers)
        self.courier = WebhookCourier(self.world, allowed_host=options.webhook_host, manners=options.manners)
        self.world.courier = self.courier
        self._options = options
        self.world.work(self._add_endpoint)

    def empty(self) -> None:
        """Be as new: no object, request, fault or violation, the clock, settings and manners of the beginning."""
        self.courier.forget(self._options.manners or Manners())
        with self.world.lock:
            self.world.work(self.world.empty)
            self.api.log.clear()
            self.api.violations.clear()
            self.api.faults.clear()
            self.world.work(self._add_endpoint)

    def _add_endpoint(self) -> None:
        """The endpoint named on the command line, once."""
        url, secret = self._options.webhook_url, self._options.webhook_secret
        if url is None:
            return
        for endpoint in self.world.store.find("webhook_endpoint", url=url):
            endpoint["_secret"] = secret or endpoint["_secret"]
            return
        new_endpoint(self.world, url, ["*"], secret)
