"""Facts in the database: whose they are, whatever the order."""

import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

import orjson
import pytest
from sqlalchemy import delete
from sqlmodel import select

from backend.deal_sync.desired.render import render
from backend.deal_sync.desired.texts import texts
from backend.ledger.absorb import absorb
from backend.ledger.load import load_deals
from backend.storage.db import Database
from backend.storage.migrations import upgrade
from backend.storage.models import Account, LedgerEntry, LedgerLink, PaymentRequest, StripeConnection
from backend.stripe_api.events import facts_of
from tests.ledger.events import (
    ACCOUNT,
    LEAD,
    LIFE,
    MARKS,
    REQUEST,
    T0,
    dispute,
    evt,
    intent,
    invoice,
    invoice_payment,
    refund,
    session,
)

CONNECTION = "con"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await upgrade(database)
    async with database.write() as unit:
        unit.add(Account(id=ACCOUNT, base_url="https://a.example", tokens="", connected_at=0, currency="EUR"))
        unit.add(StripeConnection(id=CONNECTION, account_id=ACCOUNT, livemode=True))
        unit.add(_request())
    yield database
    await database.close()


def _request(**given: Any) -> PaymentRequest:
    known: dict[str, Any] = {
        "account_id": ACCOUNT, "id": REQUEST, "connection_id": CONNECTION, "lead_id": LEAD, "amount": 10000,
        "currency": "EUR", "description": "Sofa", "content": "x", "link_token": REQUEST[:16], "created_at": T0 - 100.0,
    }  # fmt: skip
    return PaymentRequest(**(known | given))


async def _absorb(database: Database, events: Iterable[dict[str, Any]]) -> bool:
    ours = False
    for event in events:
        async with database.write() as unit:
            connection = await unit.get_one(StripeConnection, CONNECTION)
            ours = bool((await absorb(unit, connection, facts_of(event, ACCOUNT))).ours)
    return ours


async def _entry(database: Database, name: str) -> LedgerEntry:
    async with database.read() as unit:
        return await unit.get_one(LedgerEntry, (CONNECTION, name))


async def _picture(database: Database) -> bytes:
    """Ledger and wanted card as bytes."""
    async with database.read() as unit:
        entries = (await unit.exec(select(LedgerEntry).order_by(LedgerEntry.id))).all()
        account = await unit.get_one(Account, ACCOUNT)
        ledger = (await load_deals(unit, account, [LEAD], T0 + 100.0))[LEAD]
    rows = [[entry.id, entry.kind, entry.facts, entry.lead_id, entry.request_id, entry.ours] for entry in entries]
    return orjson.dumps([rows, repr(render(ledger, texts("en"), link_base="", test=False))])


async def test_orders_of_a_life_give_the_same_ledger_and_card_in_the_database(database: Database) -> None:
    await _absorb(database, LIFE)
    expected = await _picture(database)
    chance = random.Random(7)
    for _ in range(12):
        async with database.write() as unit:
            for table in (LedgerEntry, LedgerLink):
                await unit.exec(delete(table))
        order = [*LIFE, *LIFE]
        chance.shuffle(order)
        await _absorb(database, order)
        assert await _picture(database) == expected


async def test_a_payment_of_our_request_belongs_to_its_deal(database: Database) -> None:
    assert await _absorb(database, [evt("payment_intent.succeeded", intent())])
    assert (await _entry(database, "pi_1")).lead_id == LEAD


async def test_a_foreign_payment_is_marked_as_foreign_and_its_amount_is_kept(database: Database) -> None:
    assert not await _absorb(database, [evt("payment_intent.succeeded", intent(metadata={}))])
    entry = await _entry(database, "pi_1")
    assert (entry.ours, entry.lead_id, entry.facts["received"]) == (False, None, [4, 10000, "EUR"])


async def test_a_payment_marked_for_another_kommo_account_is_foreign(database: Database) -> None:
    marks = MARKS | {"kommo_account_id": "8"}
    assert not await _absorb(database, [evt("payment_intent.succeeded", intent(metadata=marks))])


async def test_marks_without_an_account_id_are_ours_too(database: Database) -> None:
    await _absorb(database, [evt("payment_intent.succeeded", intent(metadata={"kommo_lead_id": "815"}))])
    assert (await _entry(database, "pi_1")).lead_id == 815


async def test_a_renewal_without_marks_is_joined_when_its_invoice_arrives(database: Database) -> None:
    bare = evt("payment_intent.succeeded", intent(metadata={}))
    assert not await _absorb(database, [bare])
    assert not await _absorb(database, [evt("invoice_payment.paid", invoice_payment())])
    assert await _absorb(database, [evt("invoice.paid", invoice())])
    assert (await _entry(database, "pi_1")).lead_id == LEAD


async def test_a_refund_before_its_payment_is_joined_when_the_payment_is_ours(database: Database) -> None:
    assert not await _absorb(database, [evt("refund.created", refund("re_1", 500))])
    await _absorb(database, [evt("payment_intent.succeeded", intent())])
    assert (await _entry(database, "re_1")).lead_id == LEAD


async def test_the_lead_is_chosen_by_rank_not_by_arrival(database: Database) -> None:
    by_session = evt("checkout.session.completed", session(metadata={"kommo_lead_id": "1"}, client_reference_id=None))
    by_intent = evt("payment_intent.succeeded", intent(metadata={"kommo_lead_id": "2"}))
    await _absorb(database, [by_intent, by_session])
    assert (await _entry(database, "pi_1")).lead_id == 2


async def test_a_bare_reference_counts_on_a_servers_session_only(database: Database) -> None:
    bare = session(metadata={}, client_reference_id="55")
    assert await _absorb(database, [evt("checkout.session.completed", bare)])
    assert (await _entry(database, "pi_1")).lead_id == 55
    linked = session(id="cs_2", payment_intent="pi_2", metadata={}, client_reference_id="55", payment_link="plink_1")
    assert not await _absorb(database, [evt("checkout.session.completed", linked)])


async def test_under_suggest_a_bare_reference_names_no_deal(database: Database) -> None:
    async with database.write() as unit:
        connection = await unit.get_one(StripeConnection, CONNECTION)
        connection.reference_policy = "suggest"
        unit.add(connection)
    assert await _absorb(database, [evt("checkout.session.completed", session(metadata={}, client_reference_id="55"))])
    assert (await _entry(database, "pi_1")).lead_id is None


async def test_a_lead_id_that_is_no_number_leaves_the_payment_ours_without_a_deal(database: Database) -> None:
    marks = {"kommo_account_id": str(ACCOUNT), "kommo_lead_id": "x' OR 1=1"}
    assert await _absorb(database, [evt("payment_intent.succeeded", intent(metadata=marks))])
    assert (await _entry(database, "pi_1")).lead_id is None


async def test_the_deals_that_changed_are_told(database: Database) -> None:
    async with database.write() as unit:
        connection = await unit.get_one(StripeConnection, CONNECTION)
        facts = facts_of(LIFE[1], ACCOUNT)
        assert (await absorb(unit, connection, facts)).deals == {LEAD}
        assert (await absorb(unit, connection, facts)).deals == frozenset()


async def test_a_dispute_opened_after_it_was_won_stays_won(database: Database) -> None:
    late = evt("charge.dispute.created", dispute("needs_response"), T0 + 99)
    await _absorb(database, [LIFE[1], evt("charge.dispute.closed", dispute("won")), late])
    async with database.read() as unit:
        account = await unit.get_one(Account, ACCOUNT)
        ledger = (await load_deals(unit, account, [LEAD], T0 + 100.0))[LEAD]
    assert ledger.state == "paid"


async def test_a_card_never_depends_on_rows_of_other_deals_modes_and_accounts(database: Database) -> None:
    """The neighbours have Stripe ids and a deal of the same name, and a request of the same id."""
    await _absorb(database, LIFE)
    expected = await _picture_of_card(database)
    same_names = [evt("payment_intent.succeeded", intent(amount_received=5, metadata={"kommo_lead_id": str(LEAD)})),
                  evt("refund.created", refund("re_1", 3)), evt("charge.dispute.closed", dispute("lost"))]  # fmt: skip
    others = [evt("payment_intent.succeeded", intent(id="pi_9", metadata={"kommo_lead_id": "815"})),
              evt("refund.created", {**refund("re_9", 7), "payment_intent": "pi_9"})]  # fmt: skip
    async with database.write() as unit:
        unit.add(Account(id=8, base_url="https://b.example", tokens="", connected_at=0, currency="USD"))
        unit.add(StripeConnection(id="test", account_id=ACCOUNT, livemode=False))
        unit.add(StripeConnection(id="other", account_id=8, livemode=True))
        unit.add(_request(account_id=8, connection_id="other", link_token="another"))
        for connection_id, told in (("test", same_names), ("other", same_names), (CONNECTION, others)):
            connection = await unit.get_one(StripeConnection, connection_id)
            facts = [fact for event in told for fact in facts_of(event, connection.account_id or 0)]
            assert (await absorb(unit, connection, facts)).deals
    assert await _picture_of_card(database) == expected


async def test_a_stripe_account_that_was_connected_twice_counts_once(database: Database) -> None:
    """Both connections hear all; the one that drains hears what came before the other was made, too."""
    await _absorb(database, LIFE)
    expected = await _picture_of_card(database)
    async with database.write() as unit:
        unit.add(StripeConnection(id="again", account_id=ACCOUNT, livemode=True))
    async with database.write() as unit:
        connection = await unit.get_one(StripeConnection, "again")
        facts = [fact for event in LIFE[1:] for fact in facts_of(event, ACCOUNT)]
        assert (await absorb(unit, connection, facts)).deals
    assert await _picture_of_card(database) == expected


async def _picture_of_card(database: Database) -> str:
    async with database.read() as unit:
        account = await unit.get_one(Account, ACCOUNT)
        ledger = (await load_deals(unit, account, [LEAD], T0 + 100.0))[LEAD]
    return repr(render(ledger, texts("en"), link_base="", test=False))
