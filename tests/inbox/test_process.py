"""From the inbox to the ledger: what becomes of each event, good, bad and foreign."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import select

from backend.core.config import Settings
from backend.core.vault import Vault
from backend.inbox.arrivals import Arrival
from backend.inbox.group_commit import Inbox
from backend.inbox.process import CHUNK, ingest
from backend.inbox.replay import replay_all
from backend.inbox.store import replay
from backend.ledger.missing_deals import deal_is_missing
from backend.resources import Resources, open_resources
from backend.storage.models import Account, AccountWork, Deal, InboxEvent, LedgerEntry, StripeConnection
from backend.stripe_api.signature import read_event
from backend.work_queue.leases import claim, release
from sandbox.clock import MovableClock
from tests.ledger.events import ACCOUNT, LEAD, MARKS, T0, evt, intent, invoice, refund, session

CONNECTION = "con"
NOWHERE = "http://127.0.0.1:1"


@dataclass
class InboxAndLedger:
    """One account's inbox and ledger, and nobody at the other end of Stripe's line."""

    resources: Resources
    store: Inbox
    clock: MovableClock

    async def put(self, *events: Mapping[str, Any] | bytes) -> None:
        bodies = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
        await asyncio.gather(*(self.store.put(self._arrival(body)) for body in bodies))

    def _arrival(self, body: bytes) -> Arrival:
        event = read_event(body)
        now = self.resources.clock()
        return Arrival(CONNECTION, ACCOUNT, event["id"], event["type"], "", body, "new", now)

    async def work(self) -> None:
        taken = await claim(self.resources.database, "inbox", self.resources.clock())
        assert taken is not None
        await ingest(self.resources, taken)
        await self.resources.beside.idle()
        await release(self.resources.database, taken, wake_at=None)

    async def states(self) -> dict[str, tuple[str, str]]:
        return {event.id: (event.state, event.error) for event in await self.all(InboxEvent)}

    async def state(self, event: Mapping[str, Any]) -> tuple[str, str]:
        return (await self.states())[event["id"]]

    async def all(self, table: Any) -> list[Any]:
        async with self.resources.database.read() as unit:
            return list((await unit.exec(select(table))).all())

    async def leads(self) -> dict[str, int | None]:
        return {entry.id: entry.lead_id for entry in await self.all(LedgerEntry)}

    async def picture(self) -> str:
        entries = sorted(await self.all(LedgerEntry), key=lambda entry: str(entry.id))
        return repr([(e.id, e.kind, e.facts, e.ours, e.lead_id, e.request_id) for e in entries])


@pytest.fixture
async def inbox(database_url: str) -> AsyncIterator[InboxAndLedger]:
    settings = Settings(
        _env_file=None, public_url=NOWHERE, database_url=database_url, secret_keys="a sealing key of the tests",
        admin_token="admin-token-of-the-tests", kommo_base_url=NOWHERE, stripe_api_base=NOWHERE,
    )  # fmt: skip
    clock = MovableClock(lambda: T0 + 100.0)
    async with open_resources(settings, clock) as resources:
        async with resources.database.write() as unit:
            unit.add(Account(id=ACCOUNT, base_url=NOWHERE, tokens="", connected_at=0, currency="EUR"))
            unit.add(StripeConnection(id=CONNECTION, account_id=ACCOUNT, livemode=True))
        yield InboxAndLedger(resources, Inbox(resources.database, resources.vault, resources.work_arrived), clock)


PAID = evt("payment_intent.succeeded", intent())


def named(name: str, event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "id": f"evt_{name}"}


async def test_a_bad_event_is_named_and_delays_no_other(inbox: InboxAndLedger) -> None:
    bad = named("bad", evt("payment_intent.succeeded", intent(amount_received="much")))
    await inbox.put(bad, PAID)
    await inbox.work()
    assert await inbox.state(bad) == ("dead", "`amount_received` is not an amount in minor units")
    assert await inbox.state(PAID) == ("done", "")


async def test_lone_surrogates_and_nul_in_names_do_no_harm(inbox: InboxAndLedger) -> None:
    name = "A\x00\ud800"
    odd = named("odd", evt("checkout.session.completed", session(id="cs_7", customer_details={"name": name})))
    declined = intent(id="pi_8", status="requires_payment_method", last_payment_error={"message": f"no{name} money"})
    refused = named("reason", evt("payment_intent.payment_failed", declined))
    await inbox.put(odd, refused)
    await inbox.work()
    assert set((await inbox.states()).values()) == {("done", "")}
    (entry,) = [entry for entry in await inbox.all(LedgerEntry) if entry.id == "pi_8"]
    assert entry.facts["decline"][1] == "noA money"


async def test_a_lead_id_that_is_no_number_is_said_and_the_payment_kept(inbox: InboxAndLedger) -> None:
    marks = {**MARKS, "kommo_lead_id": "4711; DROP TABLE", "kommo_request_id": "none"}
    event = evt("payment_intent.succeeded", intent(metadata=marks))
    await inbox.put(event)
    await inbox.work()
    assert await inbox.state(event) == ("done", "kommo_lead_id is not the number of a deal")
    assert await inbox.leads() == {"pi_1": None}


async def test_another_accounts_mark_makes_it_foreign_and_says_why(inbox: InboxAndLedger) -> None:
    event = evt("payment_intent.succeeded", intent(metadata={**MARKS, "kommo_account_id": "8"}))
    await inbox.put(event)
    await inbox.work()
    assert await inbox.state(event) == ("foreign", "its metadata names another Kommo account")
    (row,) = await inbox.all(InboxEvent)
    assert row.body is None


async def test_an_unknown_deal_is_named_in_the_inbox(inbox: InboxAndLedger) -> None:
    await inbox.put(PAID)
    await inbox.work()
    async with inbox.resources.database.write() as unit:
        await deal_is_missing(unit, ACCOUNT, LEAD)
    assert await inbox.state(PAID) == ("done", f"deal {LEAD} does not exist in Kommo")
    (connection,) = await inbox.all(StripeConnection)
    assert connection.reference_policy == "trust"


async def test_after_the_key_is_back_a_buried_event_is_worked_in(inbox: InboxAndLedger) -> None:
    other = Inbox(inbox.resources.database, Vault(["a key that was lost"]), inbox.resources.work_arrived)
    await InboxAndLedger(inbox.resources, other, inbox.clock).put(PAID)
    await inbox.work()
    state, error = await inbox.state(PAID)
    assert (state, "SECRET_KEYS" in error) == ("dead", True)
    async with inbox.resources.database.write() as unit:
        for row in (await unit.exec(select(InboxEvent))).all():
            row.body = inbox.resources.vault.seal(
                Vault(["a key that was lost"]).open(row.body or b"", f"inbox_event:{CONNECTION}:{row.id}:body"),
                f"inbox_event:{CONNECTION}:{row.id}:body",
            )
            unit.add(row)
    async with inbox.resources.database.write() as unit:
        await replay(unit, [PAID["id"]])
    await inbox.work()
    assert await inbox.state(PAID) == ("done", "")


async def test_an_event_that_meets_a_fault_of_ours_delays_no_other_and_is_tried_again(inbox: InboxAndLedger) -> None:
    """What is known of its payment was damaged; once that is mended, the event goes in."""
    async with inbox.resources.database.write() as unit:
        unit.add(LedgerEntry(connection_id=CONNECTION, id="pi_9", kind="", facts={"received": 5}, ours=False))
    unlucky = evt("payment_intent.succeeded", intent(id="pi_9"))
    await inbox.put(unlucky, PAID, evt("refund.created", refund("re_1", 500)))
    await inbox.work()
    assert sorted(state for state, _ in (await inbox.states()).values()) == ["done", "done", "postponed"]
    assert (await inbox.state(unlucky))[1].startswith("Processing failed by a fault of this server")
    async with inbox.resources.database.write() as unit:
        damaged = await unit.get_one(LedgerEntry, (CONNECTION, "pi_9"))
        damaged.facts = {}
        unit.add(damaged)
    assert await replay_all(inbox.resources, state="postponed") == 1
    await inbox.work()
    assert await inbox.state(unlucky) == ("done", "")


async def test_replaying_everything_changes_nothing(inbox: InboxAndLedger) -> None:
    events = [PAID, evt("refund.created", refund("re_1", 500)), evt("checkout.session.completed", session())]
    await inbox.put(*events)
    await inbox.work()
    before, deals = await inbox.picture(), await _wanted(inbox)
    assert await replay_all(inbox.resources) == 3
    await inbox.work()
    assert (await inbox.picture(), await _wanted(inbox)) == (before, deals)


async def _wanted(inbox: InboxAndLedger) -> dict[int, int]:
    return {deal.lead_id: deal.wanted for deal in await inbox.all(Deal)}


async def test_an_invoice_that_only_stripe_can_explain_waits_and_others_go_on(inbox: InboxAndLedger) -> None:
    """Stripe can't be reached: there is not even a key."""
    waiting = evt("invoice.paid", invoice())
    await inbox.put(waiting, PAID)
    await inbox.work()
    assert await inbox.state(waiting) == ("postponed", "the invoice's payment is not known yet")
    assert await inbox.state(PAID) == ("done", "")


async def test_what_was_given_up_or_lay_for_a_month_has_the_whole_schedule_before_it(inbox: InboxAndLedger) -> None:
    """Its age is no reason to look once at the most: else a replay would not even ask Stripe."""
    waiting = evt("invoice.paid", invoice())
    await inbox.put(waiting)
    async with inbox.resources.database.write() as unit:
        (row,) = (await unit.exec(select(InboxEvent))).all()
        row.state, row.attempts = "dead", 127
        unit.add(row)
    inbox.clock.advance(31 * 86400)
    assert await replay_all(inbox.resources, state="dead") == 1
    await inbox.work()
    assert (await inbox.state(waiting))[0] == "postponed"
    (row,) = await inbox.all(InboxEvent)
    assert row.next_try_at == inbox.resources.clock() + 2


# Bare references


def bare(lead: int, number: int) -> dict[str, Any]:
    """A session of some other software's, with nothing but a number on it."""
    return named(f"bare{number}", evt("checkout.session.completed", session(
        id=f"cs_{number}", payment_intent=f"pi_{number}", metadata={}, client_reference_id=str(lead))))  # fmt: skip


async def test_the_first_bare_reference_to_no_deal_ends_the_trust(inbox: InboxAndLedger) -> None:
    await inbox.put(bare(4711, 1))
    await inbox.work()
    async with inbox.resources.database.write() as unit:
        unit.add(await _written(unit, 4711))
    await inbox.put(bare(5, 2))
    await inbox.work()
    async with inbox.resources.database.write() as unit:
        await deal_is_missing(unit, ACCOUNT, 5)
    (connection,) = await inbox.all(StripeConnection)
    assert connection.reference_policy == "suggest"
    assert "deal 5" in connection.problem
    await inbox.put(bare(4711, 3), named("late", evt("refund.created", refund("re_1", 5))))
    await inbox.work()
    leads = await inbox.leads()
    assert (leads["pi_1"], leads["re_1"], leads["pi_2"], leads["pi_3"]) == (4711, 4711, 5, None)


async def _written(unit: Any, lead_id: int) -> Deal:
    deal: Deal = await unit.get_one(Deal, (ACCOUNT, lead_id))
    deal.written = deal.wanted
    return deal


async def test_a_deal_that_was_there_and_vanished_ends_no_trust(inbox: InboxAndLedger) -> None:
    await inbox.put(bare(4711, 1))
    await inbox.work()
    async with inbox.resources.database.write() as unit:
        unit.add(await _written(unit, 4711))
        await unit.flush()
        await deal_is_missing(unit, ACCOUNT, 4711)
    (connection,) = await inbox.all(StripeConnection)
    assert connection.reference_policy == "trust"


async def test_our_own_reference_beside_our_marks_is_not_a_bare_one(inbox: InboxAndLedger) -> None:
    await inbox.put(evt("checkout.session.completed", session()))
    await inbox.work()
    async with inbox.resources.database.write() as unit:
        await deal_is_missing(unit, ACCOUNT, LEAD)
    (connection,) = await inbox.all(StripeConnection)
    assert connection.reference_policy == "trust"


# Somebody else's business in the same Stripe account


def foreign(count: int) -> Iterable[dict[str, Any]]:
    details = {"name": "Canary Bird", "email": "canary@bird.example"}
    for n in range(count):
        yield evt(
            "payment_intent.succeeded",
            intent(id=f"pi_f{n}", metadata={"order": "Canary"}, receipt_email="canary@bird.example"),
        )
        yield evt("checkout.session.completed", session(
            id=f"cs_f{n}", payment_intent=f"pi_f{n}", metadata={}, client_reference_id=f"Canary{n}",
            customer_details=details))  # fmt: skip


@pytest.mark.parametrize("count", [1000, pytest.param(50_000, marks=pytest.mark.full)])
async def test_foreign_events_cost_no_write_and_no_call_and_leave_no_personal_data(
    inbox: InboxAndLedger, count: int
) -> None:
    """``count`` payments of two events each. No key is stored, so a call to Stripe would have left an event waiting."""
    ours = [evt("payment_intent.succeeded", intent(id=f"pi_{n}")) for n in range(100)]
    everything = [*foreign(count), *ours]
    for start in range(0, len(everything), 2000):
        await inbox.put(*everything[start : start + 2000])
    while any(work.done < work.wanted for work in await inbox.all(AccountWork)):
        await inbox.work()
    states = [state for state, _ in (await inbox.states()).values()]
    assert (states.count("foreign"), states.count("done")) == (2 * count, 100)
    assert [deal.lead_id for deal in await inbox.all(Deal)] == [LEAD]
    for row in await inbox.all(InboxEvent):
        assert row.body is None or row.state == "done"
    assert "anary" not in repr(await inbox.all(LedgerEntry))


async def test_a_chunk_is_not_the_end(inbox: InboxAndLedger) -> None:
    await inbox.put(*(evt("payment_intent.succeeded", intent(id=f"pi_{n}")) for n in range(CHUNK + 1)))
    await inbox.work()
    assert {state for state, _ in (await inbox.states()).values()} == {"done"}
