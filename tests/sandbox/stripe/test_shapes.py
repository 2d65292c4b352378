"""Every object and event that this Stripe makes has Stripe's own shape, in both families of versions."""

import pytest

from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.delivery.events import Event
from sandbox.stripe.objects.schemas import VERSIONS, Family, Obj, differences, document, events
from tests.sandbox.stripe.lives import everything, new_session

FAMILIES: tuple[Family, ...] = ("pinned", "legacy")
OTHER_SHAPES: tuple[dict[str, str], ...] = (
    {},
    {"invoice_payments_in_events": "present", "invoice_lines": "all", "session_invoice_at_completed": "null"},
    {"subscription_presentment": "payers", "declined_try": "new"},
)


def _told(event: Event, family: Family) -> list[str]:
    shown = event.shown(VERSIONS[family], 1)
    inner: Obj = shown["data"]["object"]
    known = inner["object"] in document(family)["objects"]
    return [*differences(shown, family), *(differences(inner, family) if known else ())]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("switches", OTHER_SHAPES)
def test_every_event_is_stripes_own_shape(family: Family, switches: dict[str, str]) -> None:
    world = everything(switches)
    assert [f"{event.type}: {told}" for event in world.events for told in _told(event, family)] == []


def test_every_event_carries_the_object_that_its_type_names() -> None:
    kinds = events()
    for event in everything().events:
        if event.type in kinds:
            assert event.snapshots["pinned"]["object"] == kinds[event.type]


def test_every_object_at_rest_is_stripes_own_shape() -> None:
    world, known = everything(), document("pinned")["objects"]
    faults = [
        told
        for shelf in world.shelves()
        for kind, objects in shelf.objects.items()
        if kind in known
        for obj in objects.values()
        for told in differences(obj, "pinned")
    ]
    assert faults == []


def test_a_wrong_shape_is_noticed() -> None:
    world = StripeWorld(lambda: 1_795_430_000.0, seed=1)
    shelf = world.default_account.shelves[False]
    session = new_session(shelf)
    world.pay_session(session["id"], Payer())
    session |= {"amount_total": "ten", "colour": "red"}
    assert len(list(differences(session, "pinned"))) == 2


def test_old_endpoints_are_shown_the_links_that_basil_removed() -> None:
    world = everything()
    invoice = next(event for event in world.events if event.type == "invoice.paid")
    legacy = invoice.snapshots["legacy"]
    assert legacy["payment_intent"].startswith("pi_")
    assert legacy["subscription"].startswith("sub_")
    assert legacy["subscription_details"]["metadata"] == {"kommo_lead_id": "4711"}
    assert "payment_intent" not in invoice.snapshots["pinned"]
    charge = next(e for e in world.events if e.type == "charge.succeeded" and e.snapshots["legacy"]["invoice"])
    assert "invoice" not in charge.snapshots["pinned"]
