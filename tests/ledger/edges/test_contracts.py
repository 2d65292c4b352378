"""Whose the periods of a contract are, and which of its invoices is a renewal."""

from itertools import permutations
from typing import Any

import pytest

from tests.ledger.events import ACCOUNT, LEAD, MARKS, T0, Obj, evt, intent, invoice, invoice_payment
from tests.ledger.in_memory import Book

OTHER_LEAD = 815
MONTH = 30 * 24 * 3600
LINES = {
    "an item for another deal": {"kommo_account_id": str(ACCOUNT), "kommo_lead_id": str(OTHER_LEAD)},
    "an item for a larger deal": {"kommo_account_id": str(ACCOUNT), "kommo_lead_id": "99999"},
    "an item for another Kommo account": {"kommo_account_id": "999", "kommo_lead_id": str(OTHER_LEAD)},
}


def item_line(metadata: Obj) -> Obj:
    """A pending invoice item of the same customer, which Stripe puts on the contract's next invoice."""
    source = {"type": "invoice_item_details", "invoice_item_details": {"invoice_item": "ii_1", "subscription": "sub_1"}}
    return {"id": "il_9", "object": "line_item", "amount": 500, "metadata": metadata, "parent": source}


def legacy_line(kind: str, metadata: Obj) -> Obj:
    return {"id": f"il_{kind}", "object": "line_item", "type": kind, "subscription": "sub_1", "metadata": metadata}


def period(number: int, *, marks: Obj | None = None, amount: int = 10000, **given: Any) -> list[Obj]:
    """A paid period as the pinned version tells it: its invoice, its money, and what ties the two."""
    at, marked = T0 + number * MONTH, MARKS if marks is None else marks
    source = {"type": "subscription_details", "subscription_details": {"subscription": "sub_1", "metadata": marked}}
    reason = "subscription_cycle" if number else "subscription_create"
    told = {"id": f"in_{number}", "amount_paid": amount, "parent": source, "billing_reason": reason, "created": at}
    paid = evt("invoice.paid", invoice(**(told | {"status_transitions": {"paid_at": at}} | given)), at)
    money = intent(id=f"pi_{number}", metadata={}, amount_received=amount)
    row = invoice_payment(
        id=f"inpay_{number}", invoice=f"in_{number}", amount_paid=amount, status_transitions={"paid_at": at},
        payment={"type": "payment_intent", "payment_intent": f"pi_{number}"},
    )  # fmt: skip
    return [paid, evt("payment_intent.succeeded", money, at), evt("invoice_payment.paid", row, at)]


@pytest.mark.parametrize("marks", LINES.values(), ids=LINES)
def test_a_line_on_a_contracts_invoice_takes_no_period_elsewhere(marks: Obj) -> None:
    lines = {"data": [item_line(marks)]}
    book = Book(requests={}).tell_events([*period(0), *period(1, lines=lines)])
    owners = book.owners()
    assert {owners[one].lead_id for one in ("sub_1", "in_0", "in_1", "pi_0", "pi_1")} == {LEAD}


@pytest.mark.parametrize("marks", LINES.values(), ids=LINES)
def test_before_basil_only_the_contracts_own_line_speaks_for_it(marks: Obj) -> None:
    lines = {"data": [legacy_line("invoiceitem", marks), legacy_line("subscription", MARKS)]}
    old = invoice(paid=True, paid_out_of_band=False, payment_intent="pi_1", subscription="sub_1", lines=lines)
    del old["parent"]
    owners = Book(requests={}).tell_events([evt("invoice.paid", old)]).owners()
    assert {owners[one].lead_id for one in ("sub_1", "in_1", "pi_1")} == {LEAD}


OTHER_REASONS = ("subscription_update", "subscription_threshold", "manual", "subscription_create", "quote_accept")


@pytest.mark.parametrize("reason", OTHER_REASONS)
def test_only_a_later_period_is_a_renewal(reason: str) -> None:
    book = Book(requests={}).tell_events([*period(0), *period(1), *period(2, billing_reason=reason)])
    assert {one.id for one in book.deal().received_anywhere if one.renewal} == {"pi_1"}


def test_an_invoice_of_no_subscription_is_no_renewal() -> None:
    by_hand = period(1, parent=None, metadata=MARKS, billing_reason="manual")
    (payment,) = Book(requests={}).tell_events(by_hand).deal().received_anywhere
    assert not payment.renewal


@pytest.mark.parametrize("reason", OTHER_REASONS)
def test_only_a_later_period_that_fails_is_a_failed_renewal(reason: str) -> None:
    def failed(number: int, **given: Any) -> Obj:
        invoiced = period(number, status="open", amount_due=900, **given)[0]["data"]["object"]
        return evt("invoice.payment_failed", invoiced)

    book = Book(requests={}).tell_events([*period(0), failed(1), failed(2, billing_reason=reason)])
    assert [renewal.invoice for renewal in book.deal().failed_renewals] == ["in_1"]


@pytest.mark.parametrize("span", [0, MONTH])
@pytest.mark.parametrize("reason", [None, "subscription"])
def test_before_stripe_told_why_the_period_tells_a_renewal(reason: str | None, span: int) -> None:
    book = Book(requests={}).tell_events(period(1, billing_reason=reason, period_start=T0, period_end=T0 + span))
    assert [one.renewal for one in book.deal().received_anywhere] == [bool(span)]


def test_an_old_contract_whose_renewal_is_the_first_that_we_hear_moves_no_deal() -> None:
    card = Book(requests={}).tell_events(period(1)).cards()[LEAD]
    assert card.fields["STRIPE_PAYMENT_STATUS"] == "paid"
    assert card.stages == ()


def test_a_renewal_completes_no_sum_that_moves_a_deal() -> None:
    """Half is paid by hand; the renewal, which nobody asked this deal for, would make it whole."""
    half = evt("payment_intent.succeeded", intent(id="pi_9", amount_received=5000, metadata=MARKS))
    marks = {name: value for name, value in MARKS.items() if name != "kommo_request_id"}
    before = Book().tell_events([half]).cards()[LEAD].stages
    book = Book().tell_events([half, *period(1, marks=marks)])
    assert book.cards()[LEAD].stages == before


def test_a_first_period_moves_its_deal_also_when_the_next_one_is_known_already() -> None:
    first = Book().tell_events(period(0)).cards()[LEAD].stages
    assert [goal.kind for goal in first] == ["paid"]
    assert Book().tell_events([*period(0), *period(1)]).cards()[LEAD].stages == first


# A lead id that a person corrects


def corrected(number: int, lead: int = OTHER_LEAD, **given: Any) -> list[Obj]:
    return period(number, marks={**MARKS, "kommo_lead_id": str(lead)}, **given)


def owners_in_every_order(*periods: list[Obj]) -> dict[str, int | None]:
    """Who owns what, the same in any order of the periods."""
    seen = []
    for order in permutations(periods):
        owners = Book().tell_events(event for told in order for event in told).owners()
        seen.append({subject: owner.lead_id for subject, owner in owners.items()})
    assert all(each == seen[0] for each in seen)
    return seen[0]


@pytest.mark.parametrize("lead", [OTHER_LEAD, 99999])
def test_a_corrected_lead_holds_for_the_periods_since_and_for_no_earlier_one(lead: int) -> None:
    owners = owners_in_every_order(period(0), period(1), corrected(2, lead), corrected(3, lead))
    assert {owners[one] for one in ("in_0", "pi_0", "in_1", "pi_1")} == {LEAD}
    assert {owners[one] for one in ("in_2", "pi_2", "in_3", "pi_3", "sub_1")} == {lead}


def test_a_lead_corrected_twice_or_back_holds_from_each_time_on() -> None:
    owners = owners_in_every_order(period(0), corrected(1), corrected(2, 99999), period(3))
    assert [owners[f"pi_{number}"] for number in range(4)] == [LEAD, OTHER_LEAD, 99999, LEAD]
    assert owners["sub_1"] == LEAD


def test_a_contract_given_to_another_kommo_account_keeps_its_earlier_periods() -> None:
    elsewhere = period(1, marks={"kommo_account_id": "999", "kommo_lead_id": str(OTHER_LEAD)})
    owners = owners_in_every_order(period(0), elsewhere)
    assert [owners["pi_0"], owners["pi_1"]] == [LEAD, None]


def test_a_person_who_attaches_a_period_has_the_last_word() -> None:
    book = Book().tell_events([*period(0), *corrected(1)])
    book.attach("pi_1", 55)
    assert book.owners()["pi_1"].lead_id == 55


def test_a_request_that_was_moved_takes_its_contract_along_where_nobody_corrected_it() -> None:
    book = Book().tell_events([*period(0), *period(1)])
    (asked,) = book.requests
    book.requests[asked] = (55, book.requests[asked][1])
    assert {book.owners()[one].lead_id for one in ("pi_0", "pi_1", "sub_1")} == {55}


def test_what_an_earlier_release_knew_of_a_contract_is_its_first_word() -> None:
    book = Book(requests={})
    book.tell({"sub_1": {"kind": "subscription", "marked": True, "lead": [0, LEAD]}})
    book.tell_events(corrected(1))
    owners = book.tell_events(period(2)).owners()
    assert [owners[one].lead_id for one in ("pi_1", "pi_2")] == [OTHER_LEAD, LEAD]


def test_the_deletion_of_a_contract_takes_no_period_elsewhere() -> None:
    ended = {"id": "sub_1", "object": "subscription", "ended_at": T0 + MONTH,
             "metadata": {**MARKS, "kommo_lead_id": str(OTHER_LEAD)}}  # fmt: skip
    told = [*period(0), evt("customer.subscription.deleted", ended, T0 + MONTH)]
    assert Book().tell_events(told).owners()["pi_0"].lead_id == LEAD


def test_a_failed_renewal_names_what_remains_and_is_over_when_its_invoice_is_given_up() -> None:
    marked = period(1, status="open", amount_due=900, amount_paid=0)[0]["data"]["object"]
    part = invoice_payment(invoice="in_1", amount_paid=400)
    book = Book(requests={}).tell_events([*period(0), evt("invoice.payment_failed", marked)])
    book.tell_events([evt("invoice_payment.paid", part)])
    (renewal,) = book.deal().failed_renewals
    assert (renewal.amount, renewal.healed) == (500, False)
    for end in ("void", "uncollectible"):
        kind = {"void": "invoice.voided", "uncollectible": "invoice.marked_uncollectible"}[end]
        (renewal,) = book.tell_events([evt(kind, {**marked, "status": end})]).deal().failed_renewals
        assert renewal.healed
