"""No face of a deal contradicts another: fields, state, explanation, statement, widget and notes of random deals."""

import re
from decimal import Decimal
from html import unescape

import pytest
from hypothesis import HealthCheck, given, settings

from backend.deal_sync.desired.render import Wanted, render
from backend.deal_sync.desired.texts import texts
from backend.ledger.deal import DealLedger
from backend.payments.deal.explain import DealContext, explain
from backend.payments.deal.offer import offer_of
from backend.payments.deal.summary import DealSeen
from backend.payments.merchant import Merchant
from backend.payments.statement import Statement
from backend.storage.models import Account
from backend.web.client.reader import Reader
from backend.web.client.statement_page import statement_page
from backend.web.http.schemas import Amount, DealAnswer, May, deal_answer
from tests.ledger.build import deal, payment, request
from tests.payments.deal.odd_deals import ACCOUNT, CURRENCIES, ODD_DEALS, Coin, OddDeal, Wish

RUNS = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
MONEY = re.compile(r"([\d,]+(?:\.\d+)?)[ \xa0](EUR|USD|JPY)")
NOT_IN_THE_FIELDS = "Also received, and not in the fields"


def card(ledger: DealLedger) -> Wanted:
    return render(ledger, texts("en"), link_base="https://pay.example", test=False)


def page(ledger: DealLedger) -> str:
    account = Account(
        id=7, subdomain="acme", base_url="https://acme.example", currency=ACCOUNT, timezone="UTC", tokens=""
    )
    body = statement_page(
        Statement("t" * 16, 4711, account, Merchant("Acme", is_test=False), ledger), Reader("en")
    ).body
    return unescape(bytes(body).decode())


def widget(ledger: DealLedger) -> DealAnswer:
    seen = DealSeen(ledger, connected=True, why=explain(ledger, DealContext(), "en"))
    return deal_answer(seen, "https://pay.example", may=May(create=True, refund=True))


def said(text: str) -> dict[str, int]:
    """Every sum that ``text`` names, in minor units; nothing of 0."""
    units = {currency: 1 if currency == "JPY" else 100 for currency in CURRENCIES}
    named = {
        currency: int(Decimal(amount.replace(",", "")) * units[currency]) for amount, currency in MONEY.findall(text)
    }
    return {currency: amount for currency, amount in named.items() if amount}


def told(sums: list[Amount]) -> dict[str, int]:
    return said(", ".join(f"{one.amount} {one.currency}" for one in sums))


def row(text: str, name: str) -> dict[str, int]:
    found = re.search(rf"<dt>{name}</dt><dd[^>]*>([^<]*)</dd>", text)
    return said(found[1]) if found else {}


@RUNS
@given(ODD_DEALS)
def test_the_fields_show_the_state_and_the_sums_of_one_currency(odd: OddDeal) -> None:
    ledger = odd.ledger
    fields, currency = card(ledger).fields, odd.currency
    if not fields:
        return
    assert (fields["STRIPE_PAYMENT_STATUS"], fields["STRIPE_CURRENCY"]) == (odd.state, currency)
    shown = {
        name: said(f"{fields[f'STRIPE_{name}']} {currency}") for name in ("AMOUNT_PAID", "REFUNDED", "OUTSTANDING")
    }
    sums = {"AMOUNT_PAID": odd.gross(currency), "REFUNDED": odd.back(currency), "OUTSTANDING": odd.open(currency)}
    assert shown == {name: {currency: amount} if amount else {} for name, amount in sums.items()}


@RUNS
@given(ODD_DEALS)
def test_the_widget_and_the_statement_tell_the_sums_of_every_currency(odd: OddDeal) -> None:
    ledger = odd.ledger
    answer, text = widget(ledger), page(ledger)
    sums = [
        (answer.paid, "Paid", odd.gross),
        (answer.expected, "Agreed", odd.expected),
        (answer.open, "Still open", odd.open),
    ]
    for amounts, name, truth in sums:
        expected = {one: truth(one) for one in CURRENCIES if truth(one)}
        assert told(amounts) == row(text, name) == expected, name
    assert row(text, "Returned") == {one: odd.back(one) for one in CURRENCIES if odd.back(one)}
    assert (answer.state, answer.currency) == (odd.state, odd.currency)


def _all_settled(odd: OddDeal) -> bool:
    """While a bank is bringing something the statement speaks of that."""
    return bool(odd.coins or odd.state == "paid") and not odd.opens and not odd.under_way


@RUNS
@given(ODD_DEALS)
def test_nobody_says_that_all_is_paid_while_something_is_open(odd: OddDeal) -> None:
    ledger = odd.ledger
    why, text = explain(ledger, DealContext(), "en"), page(ledger)
    assert ("Everything that was asked for is paid" in why) == (odd.state == "paid")
    assert ("Nothing is left to pay" in text) == _all_settled(odd)
    assert ("paid went back to the client" in why) == (odd.state in ("refunded", "partially_refunded"))
    disputes = {coin.dispute for coin in odd.coins}
    assert ("Answer in Stripe's dashboard" in why) == ("needs_response" in disputes)
    assert ("dispute was lost" in why) == ("lost" in disputes and "needs_response" not in disputes)
    assert ("no money was taken" in why) == _is_asked_about(odd)
    open_part = "".join(sentence for sentence in re.split(r"(?<=\.) ", why) if "is still open" in sentence)
    if odd.coins or odd.state == "paid":
        assert said(open_part) == odd.opens


def _is_asked_about(odd: OddDeal) -> bool:
    return any(coin.dispute == "warning_needs_response" for coin in odd.coins)


@RUNS
@given(ODD_DEALS)
def test_money_that_the_fields_leave_out_is_named_by_the_explanation_and_the_newest_note(odd: OddDeal) -> None:
    ledger = odd.ledger
    left_out = {one: odd.gross(one) for one in CURRENCIES if one != odd.currency and odd.gross(one)}
    why = explain(ledger, DealContext(), "en")
    assert said(why.partition(NOT_IN_THE_FIELDS)[2]) == left_out
    if not odd.coins:
        return
    newest = max(ledger.received_anywhere, key=lambda one: one.paid_at or 0.0)
    note = next(note.text for note in card(ledger).notes if note.fact_id == f"payment:{newest.id}")
    if newest.currency != odd.currency:
        assert f"not in the deal's currency ({odd.currency})" in note
    else:
        assert said(note.partition("Not part of the deal's sums")[2]) == left_out


@RUNS
@given(ODD_DEALS)
def test_the_statements_button_never_asks_for_more_than_is_open_and_leads_to_the_end(odd: OddDeal) -> None:
    for _ in range(12):
        offer = offer_of(odd.ledger)
        button = re.search(r"<button[^>]*>Pay ([^<]*)</button>", page(odd.ledger))
        assert said(button[1] if button else "") == ({offer.money.currency: offer.money.amount} if offer else {})
        if offer is None:
            break
        currency, amount, before = offer.money.currency, offer.money.amount, odd.opens
        assert 0 < amount <= before[currency] - odd.coming(currency)
        if offer.link is not None:
            number = int(offer.link.id[1:])
        else:
            older = int(offer.replaces.id[1:]) if offer.replaces else None
            number = len(odd.wishes)
            newer = Wish(amount, currency, "rest", offer.total or 0, "open", 90000 + number)
            odd = odd.with_wish(newer, replaced=older)
            assert odd.opens == before
        odd = odd.paying(number, Coin(amount, currency, 100000 + number))
        assert odd.opens.get(currency, 0) == before[currency] - amount
    else:
        raise AssertionError("the button never ends")
    is_ended = any(wish.fate == "expired" for wish in odd.wishes)
    assert odd.state == "disputed" or odd.under_way or is_ended or not odd.opens


@pytest.mark.parametrize(("rest", "offered"), [(49, False), (50, True)])
def test_no_button_asks_for_less_than_stripe_charges(rest: int, offered: bool) -> None:
    ledger = deal(request(10000, kind="deposit", deal_total=10000 + rest), payment(10000))
    assert row(page(ledger), "Still open") == {"EUR": rest}
    assert ("<button" in page(ledger)) == offered
