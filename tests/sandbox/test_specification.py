"""Requests are held to Stripe's published specification; and what the sandbox does not simulate it refuses."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import API_VERSION
from sandbox.params import decode
from sandbox.specification import Specification
from tests.conftest import needs_shared
from tests.sandbox.conftest import connected
from tests.sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from stripe import StripeClient


@pytest.fixture(scope="module")
def specification() -> Specification:
    loaded = Specification.load(needs_shared("data", "stripe", "spec3.json.gz"))
    assert loaded is not None
    return loaded


def test_it_is_the_version_that_is_spoken_here(specification: Specification) -> None:
    assert specification.version == API_VERSION


CHECKOUT = "mode=payment&success_url=https://x.example&line_items[0][price]=price_1&line_items[0][quantity]=1"


@pytest.mark.parametrize(
    ("method", "path", "form", "problem"),
    [
        ("POST", "/v1/checkout/sessions", CHECKOUT, None),
        ("POST", "/v1/checkout/sessions", f"{CHECKOUT}&nonsense=1", "'nonsense' is unknown here"),
        ("POST", "/v1/checkout/sessions", f"{CHECKOUT}&line_items[0][qty]=1", "line_items[0]: 'qty' is unknown here"),
        ("POST", "/v1/checkout/sessions", f"{CHECKOUT}&line_items[1][quantity]=two", "'two' is not of type 'integer'"),
        ("POST", "/v1/checkout/sessions", f"{CHECKOUT}&mode=gift", "'gift' is not one of"),
        ("POST", "/v1/checkout/sessions", f"{CHECKOUT}&metadata[a]=1&metadata[b]=", None),
        ("POST", "/v1/checkout/sessions", f"{CHECKOUT}&metadata[a][b]=1", "is not of type 'string'"),
        (
            "POST",
            "/v1/checkout/sessions",
            f"{CHECKOUT}&invoice_creation[enabled]=yes",
            "'yes' is not of type 'boolean'",
        ),
        (
            "POST",
            "/v1/checkout/sessions",
            f"{CHECKOUT}&payment_intent_data[metadata][order]=1&payment_intent_data[off_session]=true",
            "payment_intent_data: 'off_session' is unknown here",
        ),
        ("POST", "/v1/payment_intents", "currency=usd", "'amount' is a required property"),
        ("POST", "/v1/payment_intents", "amount=10.5&currency=usd", "'10.5' is not of type 'integer'"),
        ("POST", "/v1/payment_intents", "amount=10&currency=usd&off_session=one_off", None),
        ("POST", "/v1/subscriptions/sub_1", "items[0][id]=si_1&items[0][deleted]=true&trial_end=now", None),
        ("POST", "/v1/subscriptions/sub_1", "pause_collection=", None),
        ("POST", "/v1/subscriptions/sub_1", "pause_collection[behavior]=sleep", "'sleep' is not one of"),
        ("GET", "/v1/events", "types[0]=a&created[gte]=5&limit=3&expand[]=data.x", None),
        ("GET", "/v1/events", "created[since]=5", "'since' is unknown here"),
        ("DELETE", "/v1/subscriptions/sub_1", "prorate=true&invoice_now=false", None),
    ],
)
def test_forms_are_read_by_their_schema(
    specification: Specification, method: str, path: str, form: str, problem: str | None
) -> None:
    operation = specification.operation(method, path)
    assert operation is not None

    problems = operation.problems(decode(form))

    if problem is None:
        assert problems == []
    else:
        assert len(problems) == 1
        assert problem in problems[0]


def test_literal_paths_are_not_taken_for_ids(specification: Specification) -> None:
    preview = specification.operation("POST", "/v1/invoices/create_preview")
    assert preview is not None
    assert preview.problems(decode("subscription=sub_1")) == []
    assert specification.operation("POST", "/v1/nonsense") is None


@pytest.mark.parametrize("kind", ["customer", "payment_intent", "refund", "dispute", "billing_portal.session"])
def test_a_known_object_with_a_strange_field_is_found_out(specification: Specification, kind: str) -> None:
    fixtures = json.loads(needs_shared("data", "stripe", "fixtures3.json").read_text())["resources"]
    known = {name: value for name, value in fixtures[kind].items() if name != "source"}  # a field that is gone

    assert specification.errors(known, kind) == []
    assert specification.errors(known | {"strange": 1}, kind) == ["'strange' is unknown here"]


def test_a_misspelt_nested_field_is_refused_and_recorded(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    needs_shared("data", "stripe", "spec3.json.gz")
    with pytest.raises(sdk.InvalidRequestError, match="'nmae' is unknown here"):
        stripe.v1.customers.create({"address": {"city": "Bern", "nmae": "x"}})

    (violation,) = sandbox.violations()
    assert (violation["kind"], violation["path"]) == ("specification", "/v1/customers")
    assert sandbox.objects("customer") == []
    sandbox.control("DELETE", "/sandbox/violations")


def test_what_stripe_knows_and_the_sandbox_does_not_is_refused(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = stripe.v1.customers.create()
    with pytest.raises(sdk.InvalidRequestError) as ignored:
        stripe.v1.customers.create({"invoice_prefix": "ABC"})
    with pytest.raises(sdk.InvalidRequestError) as unrouted:
        stripe.v1.customers.funding_instructions.create(
            customer.id,
            {
                "bank_transfer": {"type": "us_bank_transfer"},
                "currency": "usd",
                "funding_type": "bank_transfer",
            },
        )

    assert {ignored.value.code, unrouted.value.code} == {"sandbox_does_not_simulate"}
    assert "invoice_prefix" in str(ignored.value)
    assert len(sandbox.objects("customer")) == 1
    assert [violation["kind"] for violation in sandbox.violations()] == ["not simulated"] * 2
    sandbox.control("DELETE", "/sandbox/violations")


def test_without_the_specification_it_runs_and_says_so(tmp_path: Path) -> None:
    with SandboxProcess(spec=tmp_path / "none.json.gz") as process:
        stripe = connected(process)
        import stripe as sdk

        assert "NOT checked" in process.greeting
        assert process.control("GET", "/sandbox")["requests_are_checked_against"] is None
        assert stripe.v1.customers.create({"name": "Ada"}).name == "Ada"
        with pytest.raises(sdk.InvalidRequestError, match="address"):  # still refused: nobody read it
            stripe.v1.customers.create({"address": {"nmae": "x"}})
