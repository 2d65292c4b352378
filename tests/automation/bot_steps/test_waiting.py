"""A bot that waits for the payment is answered once: when the money is there, or when its hours are over."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from backend.automation.bot_steps import receive
from backend.automation.bot_steps.paid import LONGEST_WAIT_HOURS, wait_hours
from backend.deal_sync.merges.feed import look_for_merges
from backend.storage.models import BotStep
from backend.work_queue.leases import claim
from backend.worker.account_turn import take_in_news, write_deals
from sandbox.clock import MovableClock
from sandbox.kommo.hooks.hooks import ask_widget, disable
from sandbox.kommo.records import BotRun
from tests.automation.reminders.conftest import HOUR, MONDAY_AT_NINE
from tests.world import ADMIN, World, open_world

pytestmark = pytest.mark.anyio


@dataclass
class Bots:
    """Bots of Kommo that come to our step, and an account's turns one after the other."""

    world: World

    async def comes(self, lead_id: int, hours: str = "24") -> BotRun:
        url, before = f"{self.world.url}/kommo/steps/is_it_paid", set(self.world.account.bots)
        data = {"wait_hours": hours, "lead": str(lead_id)}
        sent = await ask_widget(self.world.kommo, self.world.integration.client_id, lead_id, url, data)
        assert sent.status == 200
        (new,) = set(self.world.account.bots) - before
        await self.turn()
        return self.world.account.bots[new]

    async def turn(self) -> None:
        resources, courier = self.world.resources, self.world.stripe.courier
        await self.world.until(lambda: courier.held or all(one.status != "pending" for one in courier.deliveries))
        while (claimed := await claim(resources.database, "the test", resources.clock())) is not None:
            await take_in_news(resources, claimed)
            await write_deals(resources, claimed)

    async def hours_pass(self, hours: float) -> None:
        self.world.stripe.advance(hours * HOUR)
        await self.turn()

    async def results(self) -> list[tuple[str, str]]:
        rows = sorted(await self.world.rows(BotStep), key=lambda row: row.received_at)
        return [(row.state, row.outcome) for row in rows]

    async def page(self) -> str:
        way_in = await self.world.http.post(f"{self.world.url}/widget/setup", headers=self.world.token())
        async with httpx.AsyncClient(base_url=self.world.url, follow_redirects=True) as browser:
            await browser.post(way_in.json()["url"], headers={"Sec-Fetch-Site": "same-origin"})
            return (await browser.get("/admin/automation/bots")).text

    def calls(self, run: BotRun) -> int:
        end = f"/continue/{run.continue_id}"
        return sum(one.path.endswith(end) for one in self.world.kommo.requests)


def _exit(run: BotRun) -> str | None:
    return None if run.answer is None else str(run.answer["data"]["exit"])


@pytest.fixture
async def bots(database_url: str, anyio_backend: str) -> AsyncIterator[Bots]:
    began = time.monotonic()
    clock = MovableClock(lambda: MONDAY_AT_NINE + time.monotonic() - began)
    async with open_world(database_url, clock=clock, worker=False) as world:
        await world.stored.set_options(bot_waits=True)
        yield Bots(world)


async def test_each_bot_goes_on_once_when_its_deal_is_paid_or_its_hours_are_over(bots: Bots) -> None:
    world = bots.world
    paid_lead, other_lead = world.first_deal.id, world.lead("Another")
    link = (await world.rep.create())["url"]
    await world.rep.create(lead_id=other_lead)
    first, second, third = (
        await bots.comes(paid_lead),
        await bots.comes(other_lead, "2"),
        await bots.comes(other_lead, ""),
    )
    assert [_exit(one) for one in (first, second, third)] == [None, None, "open"]
    assert "waits until" in await bots.page()
    await bots.hours_pass(1)
    await world.pay(link)
    await bots.turn()
    assert [_exit(one) for one in (first, second)] == ["paid", None]
    await bots.hours_pass(0.75)
    assert _exit(second) is None
    await bots.hours_pass(0.5)
    assert _exit(second) == "open"
    at_once = await bots.comes(paid_lead)
    await bots.hours_pass(24)
    assert _exit(at_once) == "paid"
    assert [bots.calls(one) for one in (first, second, third, at_once)] == [1, 1, 1, 1]
    assert await bots.results() == [("done", "told")] * 4
    assert "answered: paid" in await bots.page()


async def test_the_last_look_is_at_stripe_and_a_missing_stripe_ends_no_wait(bots: Bots) -> None:
    """No webhook comes, and at the first look Stripe does not answer."""
    world = bots.world
    link = (await world.rep.create())["url"]
    await world.open(link)
    world.stripe.courier.held = True
    world.checkout.fault("cut_before", "/v1/checkout/sessions/*", count=20)
    run = await bots.comes(world.first_deal.id, "1")
    assert [row.state for row in await world.rows(BotStep)] == ["waiting"]
    world.stripe.faults.ordered.clear()
    world.stripe.pay_session(world.checkout.session["id"])
    await bots.hours_pass(1.5)
    assert (_exit(run), bots.calls(run)) == ("paid", 1)


async def test_the_switch_decides_whether_bots_wait(bots: Bots) -> None:
    world, lead_id = bots.world, bots.world.first_deal.id
    options, path = f"{world.url}/admin/api/accounts/{world.account.id}/options", f"{world.url}/widget/rules/waits"

    async def most_hours() -> int:
        return int((await world.http.get(path, headers=world.token())).json()["most_hours"])

    waiting = await bots.comes(lead_id)
    assert (await most_hours(), _exit(waiting)) == (LONGEST_WAIT_HOURS, None)
    assert (await world.http.put(options, json={"bot_waits": False}, headers=ADMIN)).status_code == 200
    await bots.turn()
    assert (await most_hours(), _exit(waiting)) == (0, "open")
    assert _exit(await bots.comes(lead_id)) == "open"


async def test_a_bot_that_waits_no_more_closes_its_step_and_an_admin_sees_it(bots: Bots) -> None:
    world, lead_id = bots.world, bots.world.first_deal.id
    link = (await world.rep.create())["url"]
    impatient, patient, stopped = [await bots.comes(lead_id) for _ in range(3)]
    stopped.is_stopped = True
    patient.since += 3600.0
    await bots.hours_pass(0.5)
    world.kommo.switches.set("bot_waits", "10_minutes")
    await world.pay(link)
    await bots.turn()
    assert [_exit(one) for one in (impatient, patient, stopped)] == [None, "paid", None]
    assert await bots.results() == [("done", "gone"), ("done", "told"), ("done", "gone")]
    await bots.hours_pass(1)
    assert [bots.calls(one) for one in (impatient, patient, stopped)] == [1, 1, 1]
    assert "The bot was not waiting any more" in await bots.page()


FAULTS = {"drop_after": "unsure", "429_json": "told", "502_html": "told"}


async def test_a_refused_answer_is_sent_again_and_a_lost_one_moves_no_bot_twice(bots: Bots) -> None:
    world = bots.world
    for fault, outcome in FAULTS.items():
        lead_id = world.lead(fault)
        link = (await world.rep.create(lead_id=lead_id))["url"]
        run = await bots.comes(lead_id)
        world.kommo.faults.add(fault, path="/continue/", times=1)
        await world.pay(link)
        for _ in range(3):
            await bots.hours_pass(0.2)
        assert (_exit(run), (await bots.results())[-1], bots.calls(run)) == ("paid", ("done", outcome), 2)


async def test_a_waiting_bot_follows_its_merged_deal_and_ends_with_the_installation(bots: Bots) -> None:
    world = bots.world
    link = (await world.rep.create())["url"]
    run = await bots.comes(world.first_deal.id)
    kept = world.lead("The deal that stays")
    await look_for_merges(world.resources)  # from now on the feed is read
    world.kommo.person().merge_leads(kept, world.first_deal.id)
    await bots.hours_pass(0.2)
    await look_for_merges(world.resources)
    await bots.turn()
    (row,) = await world.rows(BotStep)
    assert (_exit(run), row.state, row.lead_id) == (None, "waiting", kept)
    await world.pay(link)
    await bots.turn()
    assert _exit(run) == "paid"
    left = await bots.comes(world.lead("Left"))
    await disable(world.kommo, world.integration.client_id)
    await bots.hours_pass(1)
    assert await bots.results() == [("done", "told"), ("done", "removed")]
    assert bots.calls(left) == 0


async def test_waiting_bots_are_bounded_and_keep_no_place_of_the_others(
    bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "MOST_WAITING", 2)
    monkeypatch.setattr(receive, "MOST_OPEN", 1)
    lead_id = bots.world.first_deal.id
    runs = [await bots.comes(lead_id) for _ in range(4)]
    assert [_exit(one) for one in runs] == [None, None, "open", "open"]


@pytest.mark.parametrize(
    ("given", "hours"),
    [("", 0), ("24", 24), (24, 24), ("100", LONGEST_WAIT_HOURS), ("0", 0), ("-1", 0), ("1.5", 0), ("{{lead.id}}", 0),
     ("١", 0), (True, 0), (None, 0), ("9" * 30, 0), (["1"], 0)],
)  # fmt: skip
def test_hours_are_whole_and_bounded(given: object, hours: int) -> None:
    assert wait_hours(given) == hours
