"""What holds back what no person asked for."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.automation.sendings.store import drop_waiting
from backend.payments.checkout.lookup import record_now
from backend.storage.models import StripeConnection
from backend.stripe_api.events import EventContext
from backend.stripe_api.events.refunds_and_disputes import dispute_facts
from backend.work_queue.lock_order import account_unit
from sandbox.stripe import Payer
from tests.automation.sendings.conftest import Desk

pytestmark = pytest.mark.anyio
HOUR, DAY = 3600.0, 24 * 3600.0
NEW_YORK = ZoneInfo("America/New_York")


async def _options(desk: Desk, **options: Any) -> None:
    await desk.world.stored.set_options(**options)


def _local(moment: float | None) -> datetime:
    assert moment is not None
    return datetime.fromtimestamp(moment, NEW_YORK)


async def test_what_comes_outside_the_hours_waits_for_the_next_morning(desk: Desk) -> None:
    await _options(desk, send_hours=[11, 12], send_weekdays=[2])
    desk.client_writes()
    await desk.plan(await desk.request())
    await desk.turn()
    row = await desk.sent()
    assert (row.state, row.reason, desk.messages) == ("waiting", "hours", [])
    assert _local(row.due_at) == datetime(2026, 12, 1, 11, tzinfo=NEW_YORK)
    assert row.due_at is not None
    desk.world.clock.advance(row.due_at - desk.world.clock() - 600)
    desk.client_writes()
    await desk.later(601)
    assert (await desk.sent()).state == "done"
    assert len(desk.messages) == 1


async def test_a_person_s_click_goes_at_night_and_counts_for_nothing(desk: Desk) -> None:
    await _options(desk, send_hours=[11, 12], send_automatically=False)
    desk.client_writes()
    request = await desk.request()
    await desk.plan(request, "person")
    await desk.turn()
    assert len(desk.messages) == 1
    await _options(desk, send_hours=[0, 24], send_automatically=True)
    await desk.plan(request)
    await desk.turn()
    assert len(desk.messages) == 2


async def test_a_client_has_one_message_a_day_over_all_deals(desk_on_both: Desk) -> None:
    desk = desk_on_both
    contact = next(iter(desk.world.first_deal.contacts))
    other = desk.world.lead("Another", contacts=[desk.world.account.contacts[contact]])
    desk.client_writes()
    desk.client_writes(other)
    await desk.plan(await desk.request())
    await desk.plan(await desk.request(lead_id=other))
    await desk.turn()
    row = await desk.sent()
    assert len(desk.messages) == 1
    assert (row.state, row.reason) == ("waiting", "once_a_day")
    assert _local(row.due_at) == datetime(2026, 12, 1, 0, tzinfo=NEW_YORK)
    desk.world.clock.advance(13 * HOUR)
    desk.client_writes(other)
    await desk.later(HOUR)
    assert len(desk.messages) == 2


async def test_more_a_day_where_the_administrator_wants_it(desk: Desk) -> None:
    await _options(desk, send_once_a_day=False)
    desk.client_writes()
    request = await desk.request()
    await desk.plan(request)
    await desk.plan(request)
    await desk.turn()
    assert len(desk.messages) == 2


async def test_a_task_is_no_message_and_waits_for_nothing(desk: Desk) -> None:
    await _options(desk, send_hours=[11, 12])
    await desk.plan(await desk.request(), "rule", "task")
    await desk.turn()
    assert len(desk.tasks) == 1


async def test_the_switch_stops_what_waits_and_it_does_not_come_back(desk_on_both: Desk) -> None:
    desk = desk_on_both
    await _options(desk, send_hours=[11, 12])
    desk.client_writes()
    request = await desk.request()
    await desk.plan(request)
    await desk.turn()
    async with account_unit(desk.world.resources.database, desk.world.account.id) as session:
        assert await drop_waiting(session, desk.world.account.id, "switched_off") == 1
    await _options(desk, send_hours=[0, 24])
    await desk.later(DAY)
    row = await desk.sent()
    assert (row.state, row.reason, desk.messages, desk.tasks) == ("dropped", "switched_off", [], [])


async def test_what_is_planned_while_it_is_switched_off_is_not_sent(desk: Desk) -> None:
    await _options(desk, send_automatically=False)
    desk.client_writes()
    request = await desk.request()
    await desk.plan(request, key="entry")
    await desk.turn()
    await _options(desk, send_automatically=True)
    await desk.plan(request, key="entry")
    await desk.later(HOUR)
    assert ((await desk.sent()).state, desk.messages, desk.tasks) == ("dropped", [], [])


@pytest.mark.parametrize("kind", ["rule", "person"])
@pytest.mark.parametrize("became", ["paid", "processing", "cancelled", "replaced", "disputed"])
async def test_nothing_is_sent_for_what_asks_for_no_money_any_more(desk: Desk, kind: str, became: str) -> None:
    """None of it has been told to us: only the last look at Stripe finds that it is paid, or under way."""
    world = desk.world
    desk.client_writes()
    request = await desk.request()
    await desk.turn()
    await desk.plan(request, kind)
    if became == "cancelled":
        assert (await world.rep.post(f"/widget/requests/{request['id']}/cancel")).status_code == 200
    elif became == "replaced":
        await desk.request(replaces=request["id"])
    elif became == "disputed":
        await _disputed(desk)
    else:
        world.stripe.courier.held = True
        world.stripe.pay_session(world.checkout.session["id"], Payer("delayed") if became == "processing" else None)
    await desk.turn()
    row = await desk.sent()
    assert (row.state, row.reason) == ("dropped", became)
    assert desk.messages == []
    assert [task for task in desk.tasks if request["url"] in task] == []


async def _disputed(desk: Desk) -> None:
    """Another payment of the deal, as the webhook of its dispute tells it."""
    world = desk.world
    await world.paid()
    dispute = world.stripe.open_dispute(world.checkout.session["payment_intent"])
    connection = (await world.rows(StripeConnection))[0]
    told = EventContext(world.clock(), world.account.id)
    await record_now(world.resources, connection, dispute_facts(dispute, told))


async def test_a_deal_that_is_closed_or_gone_gets_nothing(desk: Desk) -> None:
    person, lead_id = desk.world.kommo.person(), desk.lead_id
    desk.client_writes()
    request = await desk.request()
    await desk.turn()
    person.move_lead(lead_id, 143)
    await desk.plan(request)
    await desk.turn()
    assert ((await desk.sent()).reason, desk.messages) == ("deal_closed", [])
    person.delete_lead(lead_id)
    await desk.plan(request)
    await desk.turn()
    await desk.later(HOUR + 60)
    assert ((await desk.sent()).reason, desk.messages, desk.tasks) == ("deal_gone", [], [])


async def test_a_stripe_that_is_away_lets_nothing_out(desk: Desk) -> None:
    desk.client_writes()
    request = await desk.request()
    await desk.turn()
    desk.world.checkout.fault("html_502", count=30)
    await desk.plan(request)
    await desk.turn()
    assert ((await desk.sent()).state, desk.messages) == ("waiting", [])
    desk.world.stripe.faults.ordered.clear()
    await desk.later(60)
    assert len(desk.messages) == 1


async def test_what_waited_a_week_through_an_outage_is_for_a_person(desk: Desk) -> None:
    request = await desk.request()
    await desk.turn()
    await desk.plan(request)
    desk.world.clock.advance(8 * DAY)
    desk.client_writes()
    await desk.turn()
    assert (desk.messages, len(desk.tasks)) == ([], 1)
