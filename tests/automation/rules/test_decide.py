"""How much a rule asks for, and what stands in the way: values in, a decision out."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from backend.automation.rules.decide import Ask, Facts, UseAgain, decide
from backend.automation.rules.outcomes import ASKED, OBSTACLES, USED_AGAIN, Outcome, sentence, texts
from backend.automation.rules.settings import RuleSettings
from backend.core.i18n import LANGUAGES
from backend.kommo_api.values import FieldValue, Lead
from backend.ledger.deal import DealLedger
from tests.ledger.build import deal, dispute, payment, request, session

QUIET = ("under_way", "disputed", "left", "closed", "late", "own_move", "repeated", "gone", "paid")
"""Nothing is to be done: no task."""
LEAD = Lead(5, "Sofa", 300, 1, 2, 3, 4, 0, 0, main_contact_id=7, fields={9: (FieldValue("80.5"),)})


def _decided(
    ledger: DealLedger | None = None, *, mine: tuple[str, ...] = (), lead: Lead = LEAD, **chosen: Any
) -> Ask | UseAgain | Outcome:
    facts = Facts(lead, ledger or deal(), (ledger or deal()).account_currency, is_connected=True, mine=mine)
    return decide(RuleSettings(**chosen), facts)


def _amount(*given: Any, **more: Any) -> int | str:
    decided = _decided(*given, **more)
    return (
        decided.money.amount if isinstance(decided, Ask) else decided.word if isinstance(decided, Outcome) else "again"
    )


@pytest.mark.parametrize(
    ("chosen", "amount"),
    [({}, 30_000), ({"amount": "open"}, 30_000), ({"amount": "percent", "percent": 33}, 9_900),
     ({"amount": "field", "field_id": 9}, 8_050), ({"amount": "field", "field_id": 8}, "no_amount"),
     ({"amount": "field"}, "no_amount")],
)  # fmt: skip
def test_the_amount_is_what_the_administrator_chose(chosen: dict[str, Any], amount: int | str) -> None:
    assert _amount(**chosen) == amount


@pytest.mark.parametrize("chosen", [{}, {"amount": "open"}, {"amount": "field", "field_id": 9}])
def test_nothing_is_asked_for_that_was_received(chosen: dict[str, Any]) -> None:
    part = deal(request(25_000), payment(25_000))
    assert _amount(part, **chosen) == 5_000
    assert _amount(deal(request(30_000), payment(30_000)), **chosen) == "nothing_open"


def test_what_this_rules_link_brought_is_not_asked_for_again() -> None:
    brought = deal(request(9_900), payment(9_900))
    assert _amount(brought, amount="percent", percent=33, mine=("r1",)) == "nothing_open"
    assert _amount(brought, amount="percent", percent=50, mine=("r1",)) == 5_100
    assert _amount(brought, amount="percent", percent=50) == 15_000


def test_a_currency_has_its_own_step() -> None:
    yen, odd = deal(account_currency="JPY"), replace(LEAD, price=Decimal("100.55"))
    assert _amount(yen, amount="percent", percent=66, lead=odd) == 66
    assert _amount(deal(account_currency="KWD"), amount="percent", percent=66, lead=odd) == 66_360
    assert _amount(deal(account_currency="ISK"), amount="percent", percent=66, lead=odd) == 6_600


@pytest.mark.parametrize(
    ("ledger", "lead", "word"),
    [(deal(livemode=False), LEAD, "test_untagged"), (deal(account_currency="XXX"), LEAD, "currency_unknown"),
     (deal(), replace(LEAD, main_contact_id=None), "no_contact"), (deal(), replace(LEAD, price=0), "no_price"),
     (deal(), replace(LEAD, price=Decimal("0.2")), "too_small"), (deal(), replace(LEAD, price=10**11), "too_large")],
)  # fmt: skip
def test_what_stands_in_the_way_is_named(ledger: DealLedger, lead: Lead, word: str) -> None:
    assert _amount(ledger, lead=lead) == word


def test_in_test_mode_a_tagged_deal_is_asked_for() -> None:
    assert _amount(deal(livemode=False), lead=replace(LEAD, tags=("stripe-test",))) == 30_000


def test_a_link_over_the_same_amount_is_used_again() -> None:
    assert _decided(deal(request(30_000))) == UseAgain("r1")


def test_another_amount_takes_the_place_of_one_open_link_where_the_rule_says_so() -> None:
    other = deal(request(100))
    assert _amount(other) == "asked_otherwise"
    replacing = _decided(other, replace=True)
    assert isinstance(replacing, Ask)
    assert replacing.replaces == "r1"
    assert _amount(deal(request(100), request(200, id="r2")), replace=True) == "asked_otherwise"
    contract = deal(request(100, mode="subscription", rhythm=("month", 1)))
    assert _amount(contract, replace=True) == "asked_otherwise"


@pytest.mark.parametrize("replace_it", [True, False])
def test_money_under_way_or_disputed_stops_everything(replace_it: bool) -> None:
    under_way = deal(request(100, sessions=(session("complete", "unpaid"),)))
    assert _amount(under_way, replace=replace_it) == "under_way"
    fought = deal(request(30_000), payment(30_000, disputes=(dispute("needs_response", 30_000),)))
    assert _amount(fought, replace=replace_it) == "disputed"


def test_without_a_price_what_is_open_is_what_was_asked_for() -> None:
    free = replace(LEAD, price=0)
    assert _amount(deal(), amount="open", lead=free) == "no_price"
    part = deal(request(10_000, kind="deposit", deal_total=40_000), payment(10_000))
    assert _amount(part, amount="open", lead=free) == 30_000


def test_a_deposit_names_the_whole_price() -> None:
    asked = _decided(amount="percent", percent=30, kind="deposit", description="Deposit for {deal}")
    assert isinstance(asked, Ask)
    assert (asked.kind, asked.deal_total, asked.description) == ("deposit", 30_000, "Deposit for Sofa")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_outcome_has_a_sentence(language: str) -> None:
    values = dict.fromkeys(("amount", "other", "tag", "currency", "reason"), "5.00 EUR")
    for word in (ASKED, USED_AGAIN, *QUIET, *OBSTACLES):
        assert "{" not in sentence(Outcome(word, values), language)
        assert Outcome(word).needs_a_person == (word in OBSTACLES)
    assert set(texts(language).sentences) == {"task", ASKED, USED_AGAIN, *QUIET, *OBSTACLES}
