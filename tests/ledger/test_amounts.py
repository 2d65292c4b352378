"""No wrong amount in any currency, from minor units to the deal's fields and back; and the card's one source."""

import json
from dataclasses import replace
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from backend.core.money import CURRENCIES, MAXIMUM
from backend.deal_sync.desired.render import render
from backend.deal_sync.desired.texts import LANGUAGES, texts
from backend.deal_sync.field_values import as_written, same
from backend.kommo_api.values import FieldValue
from backend.ledger.deal import DealLedger
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.values import kept
from sandbox.kommo.records import Field
from tests.ledger.build import deal, dispute, payment, refund, request

NO_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())
"""Said here once more, from Stripe's documents: a slip in the product's table must not pass by agreeing with itself."""
NUMERIC = {"id": 1, "type": "numeric", "enums": {}}
KOMMO = KommoWorld(lambda: 1_700_000_000.0).account
FIELD = Field(1, "Amount paid", "numeric")
UTC = ZoneInfo("UTC")
AMOUNTS = st.integers(1, MAXIMUM)


def _units(currency: str) -> Decimal:
    return Decimal(10) ** (0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2)


def _shown(ledger: DealLedger, code: str) -> object:
    """What the deal's field holds after Kommo took our JSON; Kommo gives numbers back as text."""
    wanted = render(ledger, texts("en"), link_base="https://pay.example", test=False).fields[code]
    assert wanted is not None
    sent = json.loads(json.dumps({"value": as_written(NUMERIC, wanted, UTC)}))
    (held,) = kept(KOMMO, FIELD, [sent], "0")
    assert same(NUMERIC, wanted, FieldValue(held["value"]), UTC)
    return held["value"]


@given(st.sampled_from(sorted(CURRENCIES)), AMOUNTS, st.integers(0, 10**12))
def test_minor_units_come_back_from_the_deals_fields_in_every_currency(currency: str, paid: int, more: int) -> None:
    asked = min(MAXIMUM, paid + more)
    ledger = deal(
        request(asked, currency=currency),
        payment(paid, currency=currency, request_id=None, refunded_total=paid // 3),
        account_currency=currency,
    )
    for code, amount in (
        ("STRIPE_AMOUNT_PAID", paid),
        ("STRIPE_REFUNDED", paid // 3),
        ("STRIPE_OUTSTANDING", asked - paid),
    ):
        assert Decimal(str(_shown(ledger, code))) * _units(currency) == amount


@given(st.sampled_from(sorted(CURRENCIES)), AMOUNTS, st.sampled_from(LANGUAGES))
def test_a_note_names_the_amount_to_the_last_unit_in_every_language(currency: str, paid: int, language: str) -> None:
    (note,) = render(
        deal(payment(paid, currency=currency, request_id=None), account_currency=currency),
        texts(language), link_base="https://pay.example", test=False,
    ).notes  # fmt: skip
    told = next(word for word in note.text.split() if word.replace(".", "").isdigit())
    assert Decimal(told) * _units(currency) == paid
    assert currency in note.text


@given(st.randoms(use_true_random=False))
def test_the_card_depends_on_the_ledger_alone(chance: Random) -> None:
    """Not on the order of its parts, nor on anything that was asked before; the same ledger is the same card."""
    requests = [request(10000 + n, id=f"r{n}", created_at=1_700_000_000.0 + n) for n in range(3)]
    payments = [
        payment(10000 + n, id=f"pi_{n}", request_id=f"r{n % 3}", refunds=(refund(100 + n, rid=f"re_{n}"),),
                disputes=(dispute("won", did=f"du_{n}"),) if n == 2 else ())
        for n in range(4)
    ]  # fmt: skip
    ledger = deal(*requests, *payments)
    first = render(ledger, texts("en"), link_base="https://pay.example", test=False)
    render(deal(payment(1, id="pi_other")), texts("en"), link_base="https://pay.example", test=True)
    chance.shuffle(payments)
    mixed = replace(ledger, payments=tuple(payments))
    assert repr(render(mixed, texts("en"), link_base="https://pay.example", test=False)) == repr(first)
