"""Candidates of a simulation by the names people give them: ``pro/2``, ``standard/3``, ``gpt-4o=gpt-4o-mini@chat``."""

from kernel.errors import InvalidInput
from margins.simulation.scenario import ModelMove
from plans.models import PlanVersion, RateCardVersion


def plan_version_id(name: str) -> int:
    """The id of a plan version, from ``plan/number``. Raises InvalidInput."""
    key, number = _parts(name, "plan_version")
    found = PlanVersion.objects.filter(plan__key=key, number=number).values_list("id", flat=True).first()
    if found is None:
        raise InvalidInput(f"there is no plan version {name!r}: write it as pro/2", field="plan_version")
    return int(found)


def rate_card_version_id(name: str) -> int:
    """The id of a rate card version, from ``card/number``. Raises InvalidInput."""
    key, number = _parts(name, "rate_card_version")
    found = RateCardVersion.objects.filter(card__key=key, number=number).values_list("id", flat=True).first()
    if found is None:
        raise InvalidInput(f"there is no rate card version {name!r}: write it as standard/2", field="rate_card_version")
    return int(found)


def move_named(text: str) -> ModelMove:
    """Calls that go to another model, from ``source=target`` or ``source=target@feature``. Raises InvalidInput."""
    models, _, feature = text.partition("@")
    source, _, target = models.partition("=")
    if not source.strip() or not target.strip():
        raise InvalidInput("write it as gpt-4o=gpt-4o-mini, with @feature for one feature only", field="moves")
    return ModelMove(source=source.strip(), target=target.strip(), feature=feature.strip() or None)


def _parts(name: str, field: str) -> tuple[str, int]:
    key, _, number = name.partition("/")
    if not (key and number.isascii() and number.isdigit() and len(number) < 6):
        raise InvalidInput(f"{name!r} names no version: write it as key/number", field=field)
    return key, int(number)
