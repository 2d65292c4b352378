"""Reminders that fall due, and bots that wait at a step of ours, while something dies."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import func, select

from backend.core.days import day_at
from backend.storage.models import PaymentRequest
from sandbox.kommo.accounts.chat_acts import add_bot, client_writes
from sandbox.kommo.hooks.hooks import ask_widget
from tests.crash.actions import asks, pays, stubbornly, usable
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import deal, uuid_of

DAY = 86400.0
READINGS = {"chat_scopes": "present", "old_refresh_token": "grace"}
"""Days pass, so tokens are refreshed; a process that dies between Kommo's answer and its commit needs the second."""
ANY_HOUR = {"send_hours": [0, 24], "send_weekdays": [1, 2, 3, 4, 5, 6, 7]}
RULES = {"rules": [{"days": -1, "channel": "bot"}], "hour": 10}


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
    await _puts(world, "options", ANY_HOUR | {"send_bot": bot.id})
    await _puts(world, "reminders", RULES)
    due = day_at(world.clock(), account.timezone) + timedelta(days=1)
    world.memory["links"] = [await asks(world, lead_id, uuid_of(0), due_on=due.isoformat())]
    await quiet(world)


def _tomorrow_at_nine(world: KillableWorld) -> float:
    """Where the account is, so that no day and no token ends before the reminder."""
    here = datetime.fromtimestamp(world.clock(), ZoneInfo(world.kommo.account.timezone)) + timedelta(days=1)
    return here.replace(hour=9, minute=0, second=0).timestamp()


async def _puts(world: KillableWorld, what: str, body: object) -> None:
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


async def _with_a_rule(world: KillableWorld) -> None:
    """A deal with a contact and a price, and the key of a rule for the bot's step."""
    await deal(0)(world)
    account = world.kommo.account
    contact = account.add_contact("Ann", email="ann@example.com")
    world.memory["deals"] = [account.add_lead("Sofa", 120, contacts=[contact]).id]

    async def made() -> str | None:
        answer = await world.http.post(f"{world.url}/widget/rules", json={}, headers=world.token())
        return str(answer.json()["key"]) if usable(answer) else None

    world.memory["key"] = await stubbornly(world, made)
    await quiet(world)


async def _a_bot_comes(world: KillableWorld) -> None:
    """A bot that is not answered in time ends there, and a person starts it again."""
    lead_id, url = world.memory["deals"][0], f"{world.url}/kommo/steps/payment_link"
    data = {"payment_rule": world.memory["key"], "lead": str(lead_id)}

    async def taken() -> bool | None:
        sent = await ask_widget(world.kommo, world.integration.client_id, lead_id, url, data)
        return True if sent.status == 200 else None

    await stubbornly(world, taken)


def _told_of_one_link(world: KillableWorld) -> None:
    """Each bot goes on once, the last one with a link; whatever link was told, one session can be paid."""
    answers = [one.answer for one in world.kommo.account.bots.values() if one.answer is not None]
    told = {answer["data"]["link"] for answer in answers}
    sessions = [one for one in world.shelf.objects["checkout.session"].values() if one["status"] == "open"]
    assert list(world.kommo.account.bots.values())[-1].answer is not None, "the bot waits for ever"
    assert len(told) == 1, told
    assert all(told), "a bot was given no link"
    assert [one["amount_total"] for one in sessions] == [12_000]


ALL = (
    Scenario("reminders of a debt", _chased, _days_pass, _each_reminded_once, READINGS),
    Scenario("paid before its reminder", _chased, _paid_and_days_pass, _nobody_is_reminded, READINGS),
    Scenario("bot waits at a step", _with_a_rule, _a_bot_comes, _told_of_one_link),
)
