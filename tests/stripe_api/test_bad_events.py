"""Events that lie: facts or a reason in words, never anything else, and nothing that a database would refuse."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.stripe_api.events import HANDLERS, BadEvent, facts_of
from tests.ledger.events import ACCOUNT, LEAD, MARKS, dispute, evt, intent, invoice, invoice_payment, refund, session
from tests.ledger.in_memory import Book
from tests.ledger.lives import everything, seen

WORLD = everything()
PLAYED = [event for family in ("pinned", "legacy") for event in seen(WORLD, family) if event["type"] in HANDLERS]
"""Every type that we react to, in both families."""
LIES: list[Any] = [
    None, True, 0, -1, 2**63, 10**400, 1.5, "", "x", "\x00", "\ud800", "Ivan\x00\udfff", "9" * 30, "٣", "pi_" * 200,
    [], [1], ["\ud800"], {}, {"id": 5}, {"data": 7}, {"data": [3]}, {"a": {"b": []}},
]  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in the event, its own top included."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def spoilt(event: dict[str, Any], path: tuple[Any, ...], lie: Any) -> dict[str, Any]:
    """``event`` with a lie at one place; with ``...`` the place is left out."""
    context: Any = deepcopy(event)
    node = context
    for key in path[:-1]:
        node = node[key]
    if lie is ... and isinstance(node, dict):
        del node[path[-1]]
    else:
        node[path[-1]] = None if lie is ... else lie
    return dict(context)


def check(event: dict[str, Any]) -> None:
    """Facts that any database holds, or a ``BadEvent``; anything else is raised here."""
    try:
        facts = facts_of(event, ACCOUNT)
    except BadEvent:
        return
    packed = orjson.dumps([[fact.subject, fact.name, fact.value] for fact in facts])  # refuses lone surrogates
    assert b"\\u0000" not in packed
    for fact in facts:
        assert 0 < len(fact.subject) <= 600
        assert all(abs(number) < 10**18 for number in numbers(fact.value))


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from numbers(one)


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_an_event_with_a_lie_anywhere_is_facts_or_a_reason(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(PLAYED))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(event))))
        event = spoilt(event, path, data.draw(st.sampled_from([*LIES, ...])))
    check(event)


BODIES = [
    session(), session(payment_status="unpaid"), intent(), invoice(), invoice_payment(), refund("re_1", 5),
    dispute("needs_response"), invoice(paid_out_of_band=False, payment_intent="pi_1", lines={"data": []}),
    invoice(paid_out_of_band=True, amount_due=5, subscription="sub_1", subscription_details={"metadata": MARKS}),
    {"id": "ch_1", "amount_refunded": 5, "currency": "eur", "refunds": {"data": [refund("re_1", 5)]}},
    session(presentment_details={"presentment_amount": 5, "presentment_currency": "usd"},
            total_details={"amount_tax": 5}),
    intent(last_payment_error={"message": "no"}),
]  # fmt: skip


@pytest.mark.parametrize("name", HANDLERS)
def test_a_lie_at_every_place_that_is_read(name: str) -> None:
    for body in BODIES:
        event = evt(name, body)
        for path in places(event):
            for lie in [*LIES, ...]:
                check(spoilt(event, path, lie))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (evt("payment_intent.succeeded", intent(amount_received=None)), "`amount_received`"),
        (evt("payment_intent.succeeded", intent(amount_received=2**60)), "`amount_received`"),
        (evt("payment_intent.succeeded", intent(currency="euro")), "`currency`"),
        (evt("payment_intent.succeeded", intent(metadata=[1])), "`metadata`"),
        (evt("payment_intent.succeeded", intent(id="cs_1")), "beginning with pi_"),
        (evt("charge.dispute.created", {**dispute("lost"), "payment_intent": None, "charge": None}), "neither"),
        (evt("charge.dispute.created", {**dispute("lost"), "evidence_details": {"due_by": "soon"}}), "`due_by`"),
        (evt("invoice_payment.paid", invoice_payment(payment={"type": "cash"})), "payment record"),
        ({**evt("invoice.paid", invoice()), "created": "now"}, "`created`"),
        ({**evt("invoice.paid", invoice()), "data": {}}, "no object"),
    ],
)
def test_what_is_wrong_is_said(event: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadEvent, match=reason):
        facts_of(event, ACCOUNT)


def test_names_and_texts_of_payers_are_never_facts() -> None:
    details = {"name": "Canary Bird", "email": "canary@bird.example", "phone": "+1canary"}
    event = evt("checkout.session.completed", session(customer_details=details, customer_email=details["email"]))
    assert "canary" not in repr(facts_of(event, ACCOUNT)).lower()


def test_a_lead_id_that_is_no_number_is_ours_and_named_as_wrong() -> None:
    marks = {**MARKS, "kommo_lead_id": "x' OR 1=1", "kommo_request_id": "gone"}
    book = Book().tell_events([evt("payment_intent.succeeded", intent(metadata=marks))])
    owner = book.owners()["pi_1"]
    assert (owner.ours, owner.lead_id) == (True, None)
    assert book.facts["pi_1"]["wrong"] == ["kommo_lead_id is not the number of a deal"]


def test_a_wrong_lead_id_gives_way_to_a_right_one_elsewhere() -> None:
    wrong = {"kommo_lead_id": "none"}
    events = [evt("payment_intent.succeeded", intent(metadata=wrong)), evt("checkout.session.completed", session())]
    assert Book().tell_events(events).owners()["pi_1"].lead_id == LEAD
