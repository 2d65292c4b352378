"""Invoices whose events are lost, late, or tell a part: Stripe is asked, and in the end the sums agree."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import select

from backend.accounts.stripe.connections import key_row
from backend.admin.attach import attach
from backend.admin.unmatched import unmatched
from backend.core.config import Settings
from backend.inbox.arrivals import Arrival
from backend.inbox.group_commit import Inbox
from backend.inbox.process import ingest
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.resources import Resources, open_resources
from backend.storage.models import Account, Deal, InboxEvent, StripeConnection
from backend.stripe_api.events import HANDLERS
from backend.work_queue.leases import claim, release
from sandbox.clock import MovableClock
from sandbox.serving import serving
from sandbox.stripe import StripeWorld, create_app
from sandbox.stripe.lives import sessions
from sandbox.stripe.objects.schemas import VERSIONS, Family, Obj
from tests.ledger.events import ACCOUNT, LEAD, T0
from tests.ledger.lives import marks
from tests.sandbox.stripe.conftest import payment_params, subscription_params

CONNECTION, KEY, NOWHERE = "con", "sk_live_sandbox1", "http://127.0.0.1:1"
OTHER_LEAD = 815


@dataclass
class Shop:
    """A Stripe account with our key, and an inbox that hears of it what the test puts there."""

    stripe: StripeWorld
    resources: Resources
    inbox: Inbox
    clock: MovableClock
    heard: int = 0

    async def hear(
        self, *, without: Collection[str] = (), only: Collection[str] = (), family: Family = "pinned"
    ) -> None:
        """Put what happened since the last time into the inbox, without some types, and work it in."""
        await self.store(without=without, only=only, family=family)
        await self.work()

    async def store(
        self, *, without: Collection[str] = (), only: Collection[str] = (), family: Family = "pinned"
    ) -> None:
        events = [event.shown(VERSIONS[family], 0) for event in self.stripe.events[self.heard :]]
        self.heard = len(self.stripe.events)
        chosen = [one for one in events if one["type"] in (only or HANDLERS) and one["type"] not in without]
        await self.put([one for one in chosen if one["type"] in HANDLERS])

    async def put(self, events: list[Obj]) -> None:
        now = self.clock()
        arrivals = [
            Arrival(CONNECTION, ACCOUNT, one["id"], one["type"], "", json.dumps(one).encode(), "new", now)
            for one in events
        ]
        await asyncio.gather(*(self.inbox.put(arrival) for arrival in arrivals))

    async def work(self, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        taken = await claim(self.resources.database, "shop", self.clock())
        assert taken is not None
        await ingest(self.resources, taken)
        await self.resources.beside.idle()
        await release(self.resources.database, taken, wake_at=self.clock())

    async def patience(self) -> None:
        """As long as it takes to believe that Stripe will tell no more."""
        for wait in (3, 11, 61, 301, 1801):
            await self.work(wait)

    async def deal(self, lead: int = LEAD) -> DealLedger:
        async with self.resources.database.read() as session:
            account = await session.get(Account, ACCOUNT)
            assert account is not None
            return (await load_deals(session, account, [lead], self.clock()))[lead]

    async def amounts(self, lead: int = LEAD) -> list[tuple[int, bool]]:
        """Of each payment, the amount and whether it came outside Stripe."""
        return sorted((one.amount, one.outside) for one in (await self.deal(lead)).received_anywhere)

    async def attach(self, payment: str, lead: int) -> None:
        """While Kommo can't be asked whether it has the deal."""
        for state in ("disconnected", "connected"):
            async with self.resources.database.write() as session:
                (await session.get_one(Account, ACCOUNT)).state = state
            if state == "disconnected":
                await attach(self.resources, payment, {"account_id": ACCOUNT, "lead_id": lead})

    async def unmatched(self) -> list[str]:
        return sorted(row["amount"] for row in await unmatched(self.resources, ACCOUNT))

    async def revision(self) -> int:
        """It grows when the deal's card and its lines are to be written again."""
        async with self.resources.database.read() as session:
            return (await session.get_one(Deal, (ACCOUNT, LEAD))).wanted

    async def states(self) -> dict[str, str]:
        async with self.resources.database.read() as session:
            return {event.type: event.state for event in (await session.exec(select(InboxEvent))).all()}

    def invoice(self, amount: int = 5000, lead: int = LEAD) -> str:
        return str(self.stripe.send_invoice(amount, "eur", marks(lead), live=True)["id"])

    def session(self, **params: Any) -> Obj:
        """A session with our marks on itself only."""
        is_contract = params.get("mode") == "subscription"
        made = subscription_params(subscription_data={}) if is_contract else payment_params(payment_intent_data={})
        shelf = self.stripe.default_account.shelves[True]
        return sessions.create(shelf, made | {"metadata": marks(LEAD)} | params)


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    clock = MovableClock(lambda: T0 + 100.0)
    world = StripeWorld(clock, seed=1)
    async with serving(create_app(world)) as world.base_url:
        settings = Settings(
            _env_file=None, public_url=NOWHERE, database_url=database_url, secret_keys="a sealing key of the tests",
            admin_token="admin-token-of-the-tests", kommo_base_url=NOWHERE, stripe_api_base=world.base_url,
        )  # fmt: skip
        async with open_resources(settings, clock) as resources:
            key = resources.vault.seal_text(KEY, key_row(CONNECTION))
            async with resources.database.write() as unit:
                unit.add(Account(id=ACCOUNT, base_url=NOWHERE, tokens="", connected_at=0, currency="EUR"))
                unit.add(StripeConnection(id=CONNECTION, account_id=ACCOUNT, livemode=True, api_key=key))
            inbox = Inbox(resources.database, resources.vault, resources.work_arrived)
            yield Shop(world, resources, inbox, clock)


FAMILIES: tuple[Family, ...] = ("pinned", "legacy")


@pytest.mark.parametrize("family", FAMILIES)
async def test_what_is_left_of_an_invoice_and_came_outside_without_a_record_is_booked_once(
    shop: Shop, family: Family
) -> None:
    invoice = shop.invoice()
    shop.stripe.pay_invoice(invoice, 2000)
    shop.stripe.pay_invoice(invoice, outside=True, recorded=False)
    await shop.hear(family=family)
    await shop.patience()
    assert await shop.amounts() == [(2000, False), (3000, True)]
    assert "postponed" not in (await shop.states()).values()


async def test_a_part_whose_event_was_lost_is_looked_up(shop: Shop) -> None:
    invoice = shop.invoice()
    shop.stripe.pay_invoice(invoice, 2000)
    await shop.hear(without={"invoice_payment.paid", "payment_intent.succeeded"})
    shop.stripe.pay_invoice(invoice, 3000)
    await shop.hear()
    await shop.patience()
    assert await shop.amounts() == [(2000, False), (3000, False)]


@pytest.mark.parametrize("lost", [(), ("invoice_payment.paid",)], ids=["all told", "a part's event lost"])
async def test_what_came_outside_stays_when_the_rest_of_its_invoice_is_paid_later(
    shop: Shop, lost: tuple[str, ...]
) -> None:
    invoice = shop.invoice()
    shop.stripe.pay_invoice(invoice, 2000, outside=True, recorded=False)
    shop.stripe.give_up_invoice(invoice, "uncollectible")
    await shop.hear()
    await shop.patience()
    assert await shop.amounts() == [(2000, True)]
    shop.stripe.pay_invoice(invoice, 1000)
    await shop.hear(without=lost)
    await shop.patience()
    shop.stripe.pay_invoice(invoice, outside=True, recorded=False)
    await shop.hear()
    await shop.patience()
    assert await shop.amounts() == [(1000, False), (4000, True)]
    assert "postponed" not in (await shop.states()).values()


@dataclass(frozen=True)
class Late:
    """A part of an invoice: Stripe keeps its rows and its events back."""

    invoice: str
    rows: dict[str, Any]
    events: list[dict[str, Any]]

    async def comes_late(self, shop: Shop) -> None:
        shop.stripe.default_account.shelves[True].objects["invoice_payment"] = self.rows
        await shop.put(self.events)
        await shop.work()


async def _part_that_nobody_hears_of(shop: Shop, invoice: str) -> Late:
    """20 of the invoice's 50 are paid; then the whole counts as paid outside Stripe."""
    shop.stripe.pay_invoice(invoice, 2000)
    late = [event.shown(VERSIONS["pinned"], 0) for event in shop.stripe.events if event.type == "invoice_payment.paid"]
    hidden = shop.stripe.default_account.shelves[True].objects.pop("invoice_payment")
    shop.stripe.pay_invoice(invoice, outside=True, recorded=False)
    await shop.hear(without={"invoice_payment.paid"})
    await shop.patience()
    return Late(invoice, hidden, late)


async def test_parts_of_an_invoice_for_no_deal_are_listed_and_attached_without_counting_twice(shop: Shop) -> None:
    """A deal that has what came outside shrinks when another part is heard of, wherever that part belongs."""
    part = await _part_that_nobody_hears_of(shop, shop.invoice(lead=0))
    assert await shop.unmatched() == ["50.00"]
    await shop.attach(f"{part.invoice}:outside", LEAD)
    assert await shop.amounts() == [(5000, True)]
    revision = await shop.revision()
    await part.comes_late(shop)
    assert (await shop.amounts(), await shop.unmatched()) == ([(3000, True)], ["20.00"])
    assert await shop.revision() > revision
    (payment,) = (row["payment"]["payment_intent"] for row in part.rows.values() if row["payment"]["payment_intent"])
    await shop.attach(payment, OTHER_LEAD)
    assert (await shop.amounts(), await shop.amounts(OTHER_LEAD)) == ([(3000, True)], [(2000, False)])


async def test_a_part_shows_before_the_invoice_is_paid(shop: Shop) -> None:
    shop.stripe.pay_invoice(shop.invoice(), 2000)
    await shop.hear()
    assert await shop.amounts() == [(2000, False)]


@pytest.mark.parametrize("end", ["void", "uncollectible"])
async def test_the_parts_of_an_invoice_that_is_given_up_stay_and_lost_ones_are_looked_up(shop: Shop, end: str) -> None:
    invoice = shop.invoice()
    shop.stripe.pay_invoice(invoice, 2000)
    shop.stripe.give_up_invoice(invoice, end)
    await shop.hear(without={"invoice_payment.paid", "payment_intent.succeeded"})
    await shop.patience()
    assert await shop.amounts() == [(2000, False)]


async def test_a_part_that_is_heard_of_late_makes_what_came_outside_smaller(shop: Shop) -> None:
    """Stripe's list was behind for hours: the whole was taken as paid outside."""
    part = await _part_that_nobody_hears_of(shop, shop.invoice())
    assert await shop.amounts() == [(5000, True)]
    await part.comes_late(shop)
    assert await shop.amounts() == [(2000, False), (3000, True)]


async def test_an_invoice_paid_before_its_session_is_known_is_looked_up_when_the_session_makes_it_ours(
    shop: Shop,
) -> None:
    session = shop.session(mode="subscription")
    shop.stripe.pay_session(session["id"])
    await shop.hear(only={"invoice.paid"})
    assert (await shop.states())["invoice.paid"] == "foreign"
    shop.heard = 0
    await shop.hear(only={"checkout.session.completed"})
    await shop.patience()
    assert await shop.amounts() == [(1000, False)]
    assert (await shop.states())["checkout.session.completed"] == "done"


async def test_all_periods_that_came_before_their_session_are_looked_up(shop: Shop) -> None:
    session = shop.session(mode="subscription")
    shop.stripe.pay_session(session["id"])
    for _ in range(12):
        shop.stripe.renew_subscription(session["subscription"])
    await shop.hear(only={"invoice.paid"})
    shop.heard = 0
    await shop.hear(only={"checkout.session.completed"})
    await shop.patience()
    assert await shop.amounts() == [(1000, False)] * 13


@pytest.mark.parametrize("listed", [True, False])
async def test_one_payment_that_an_invoice_is_made_for_counts_once(shop: Shop, listed: bool) -> None:
    """Also where Stripe lists no InvoicePayment of it."""
    session = shop.session(invoice_creation={"enabled": True, "invoice_data": {"metadata": marks(LEAD)}})
    shop.stripe.pay_session(session["id"])
    if not listed:
        shop.stripe.default_account.shelves[True].objects.pop("invoice_payment", None)
    await shop.hear(without=() if listed else {"invoice_payment.paid"})
    await shop.patience()
    assert await shop.amounts() == [(1000, False)]
