"""Reminders that fall due, and what is overdue, while something dies."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import func, select

from backend.core.days import day_at
from backend.storage.models import PaymentRequest
from sandbox.kommo.accounts.chat_acts import add_bot, client_writes
from tests.crash.actions import asks, pays
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import deal, uuid_of

DAY = 86400.0
READINGS = {"chat_scopes": "present", "old_refresh_token": "grace"}
"""Days pass, so tokens are refreshed; a process that dies between Kommo's answer and its commit needs the second."""
ANY_HOUR = {"send_hours": [0, 24], "send_weekdays": [1, 2, 3, 4, 5, 6, 7]}
RULES = {"rules": [{"days": -1, "channel": "bot"}], "hour": 10}
PEOPLE = {"overdue_days": 1, "escalate_days": 2}
OURS = {"Unpaid", "Overdue"}


async def _chased(world: KillableWorld) -> None:
    """Nine in the morning: a debt that is due tomorrow, of a client with an open chat, and a bot reminds at ten."""
    world.clock.set(_tomorrow_at_nine(world))
    await deal()(world)
    account, lead_id = world.kommo.account, world.memory["deals"][0]
    world.kommo.person().tag_lead(lead_id, "stripe-test")
    client_writes(account, lead_id, "Hello", "telegram")
    await quiet(world)
    world.clock.advance(60.0)
    field = account.field("STRIPE_PAYMENT_LINK")
    assert field is not None
    bot = add_bot(account, "Remind", f"Pay here: {{{{lead.cf.{field.id}}}}}")
    await puts(world, "options", ANY_HOUR | {"send_bot": bot.id})
    await puts(world, "reminders", RULES)
    due = day_at(world.clock(), account.timezone) + timedelta(days=1)
    world.memory["links"] = [await asks(world, lead_id, uuid_of(0), due_on=due.isoformat())]
    await quiet(world)


def _tomorrow_at_nine(world: KillableWorld) -> float:
    """Where the account is, so that no day and no token ends before the reminder."""
    here = datetime.fromtimestamp(world.clock(), ZoneInfo(world.kommo.account.timezone)) + timedelta(days=1)
    return here.replace(hour=9, minute=0, second=0).timestamp()


async def puts(world: KillableWorld, what: str, body: object) -> None:
    url = f"{world.url}/admin/api/accounts/{world.kommo.account.id}/{what}"
    answer = await world.http.put(url, json=body, headers=world.admin)
    assert answer.status_code == 200, answer.text


async def _days_pass(world: KillableWorld) -> None:
    """Six days, from one look at the debt to the next."""
    end = world.clock() + 6 * DAY
    while (moment := await _next_look(world)) is not None and moment < end:
        world.clock.set(max(world.clock(), moment) + 1.0)
        world.stripe.tick()
        await quiet(world)


async def _next_look(world: KillableWorld) -> float | None:
    async with world.database.read() as session:
        return (await session.exec(select(func.min(PaymentRequest.remind_at)))).one()


async def _paid_and_days_pass(world: KillableWorld) -> None:
    """The client pays, and the hour of the first reminder comes before Stripe's word is worked on."""
    await pays(world, world.memory["links"][0])
    await _days_pass(world)


def _each_reminded_once(world: KillableWorld) -> None:
    """The reminder is one message, or a task where nobody knows whether there is one."""
    said = _messages(world)
    tasks = [task.text for task in world.kommo.account.tasks.values()]
    assert len(said) <= 1, said
    assert len(tasks) <= 1, tasks
    assert said or tasks
    assert all(world.memory["links"][0] in text for text in said), said


def _nobody_is_reminded(world: KillableWorld) -> None:
    assert _messages(world) == []
    assert not world.kommo.account.tasks


def _messages(world: KillableWorld) -> Sequence[str]:
    return [one.text for one in world.kommo.account.chats.messages if not one.incoming]


async def _reminded(world: KillableWorld) -> None:
    """The last reminder was sent; a second person and the tags were chosen before."""
    await _chased(world)
    chief = world.kommo.account.add_user("Chief", "chief@example.com")
    await puts(world, "reminders", RULES | PEOPLE | {"escalate_to": chief.id})
    await puts(world, "options", {"debt_tags": True})
    world.memory["chief"] = chief.id
    for _ in range(5):  # changed settings are a look, too
        world.clock.set((await _next_look(world) or world.clock()) + 1.0)
        world.stripe.tick()
        await quiet(world)
        if _messages(world):
            return
    raise AssertionError("nobody was reminded")


async def _overdue_and_paid(world: KillableWorld) -> None:
    """Both people are asked, then the client pays."""
    await _days_pass(world)
    world.memory["tags"] = _tags(world)
    await pays(world, world.memory["links"][0])


def _people_asked_once(world: KillableWorld) -> None:
    """One message, one task a person, closed by the money; the tags were true while it was owed."""
    account, lead = world.kommo.account, world.kommo.account.leads[world.memory["deals"][0]]
    tasks = sorted(account.tasks.values(), key=lambda task: task.id)
    assert len(_messages(world)) == 1, _messages(world)
    assert [task.responsible_user_id for task in tasks] == [lead.responsible_user_id, world.memory["chief"]], tasks
    assert all(task.is_completed and task.result["text"].startswith("Paid: 120.00 USD") for task in tasks), tasks
    assert (world.memory["tags"], _tags(world)) == (OURS, set())


def _tags(world: KillableWorld) -> set[str]:
    return {tag.name for tag in world.kommo.account.leads[world.memory["deals"][0]].tags} & OURS


ALL = (
    Scenario("reminders of a debt", _chased, _days_pass, _each_reminded_once, READINGS),
    Scenario("paid before its reminder", _chased, _paid_and_days_pass, _nobody_is_reminded, READINGS),
    Scenario("overdue, then paid", _reminded, _overdue_and_paid, _people_asked_once, READINGS),
)
