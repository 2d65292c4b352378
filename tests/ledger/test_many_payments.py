"""A deal with many payments costs in proportion to their number, whatever hangs on what."""

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from backend.core.off_loop import MANY, computed
from backend.deal_sync.desired.render import render
from backend.deal_sync.desired.texts import texts
from backend.facts import WHOLE_INVOICE_RANK
from backend.ledger.build import deal_ledger
from backend.ledger.deal import Request
from tests.ledger.build import NOW, request
from tests.ledger.events import LEAD
from tests.ledger.in_memory import Row

Life = tuple[list[Row], list[Request]]


def row(row_id: str, kind: str, request_id: str | None, **facts: Any) -> Row:
    return Row(row_id, kind, {"kind": kind, **facts}, LEAD, request_id)


def paid(number: int, request_id: str | None, rank: int = 3, **facts: Any) -> Row:
    return row(f"pi_{number}", "payment", request_id, received=[rank, 1000, "EUR"], paid_at=NOW - number, **facts)


def unasked(count: int) -> Life:
    return [paid(number, None) for number in range(count)], []


def each_with_a_link(count: int, *, status: str = "paid") -> Life:
    rows: list[Row] = []
    for number in range(count):
        session, mine = f"cs_{number}", f"r{number}"
        known = {"status": "complete", "payment_status": status, "asked": [1000, "EUR"]}
        rows.append(row(session, "session", mine, **known))
        if status == "paid":
            rows.append(paid(number, mine, session=[session]))
        else:
            rows.append(row(f"pi_{number}", "payment", mine, processing=NOW - 5, session=[session]))
    return rows, [request(1000, id=f"r{number}", created_at=NOW - 10 - number) for number in range(count)]


def on_their_way(count: int) -> Life:
    return each_with_a_link(count, status="unpaid")


def periods(count: int, *, rank: int = 3) -> Life:
    rows = [row("sub_1", "subscription", "r1")]
    for number in range(count):
        reason = "subscription_create" if number == count - 1 else "subscription_cycle"
        told = {"subscription": ["sub_1"], "billing_reason": reason, "asked": [1000, "EUR"], "paid": True}
        rows.append(row(f"in_{number}", "invoice", "r1", paid_at=NOW - number, **told))
        rows.append(paid(number, "r1", rank, invoice=[f"in_{number}"]))
    return rows, [request(1000, id="r1", mode="subscription", rhythm=("month", 1))]


def periods_told_by_invoices(count: int) -> Life:
    return periods(count, rank=WHOLE_INVOICE_RANK)


def steps(make: Callable[[int], Life], count: int) -> int:
    """Lines that are executed, each turn of a loop counted."""
    rows, requests = make(count)
    taken = 0

    def trace(_frame: FrameType, _event: str, _arg: object) -> Any:
        nonlocal taken
        taken += 1
        return trace

    sys.settrace(trace)
    try:
        ledger = deal_ledger(rows, requests, account_currency="EUR", livemode=True, now=NOW)
        render(ledger, texts("en"), link_base="https://pay.example.com", test=False)
    finally:
        sys.settrace(None)
    return taken


@pytest.mark.parametrize("make", [unasked, each_with_a_link, on_their_way, periods, periods_told_by_invoices])
def test_twice_as_many_payments_cost_about_twice_as_much(make: Callable[[int], Life]) -> None:
    steps(make, 10)  # what is read once is read
    assert steps(make, 400) < 2.3 * steps(make, 200)


async def test_many_parts_are_computed_beside_the_event_loop() -> None:
    here = threading.get_ident()
    assert await computed(MANY, threading.get_ident) == here
    assert await computed(MANY + 1, threading.get_ident) != here
