"""Links that are sent to the client while something dies: one message at the most, and never nothing."""

from uuid import UUID

from sandbox.kommo.accounts.chat_acts import add_bot, client_writes
from tests.crash.actions import posts
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario, Step
from tests.crash.scenarios.shop import linked, uuid_of

CHATS = {"chat_scopes": "present"}
PRESS = str(UUID(int=77))


def _with(*, bot: bool) -> Step:
    """A deal with a link whose client has just written; with a bot, the account has chosen it."""
    make = linked()

    async def before(world: KillableWorld) -> None:
        await make(world)
        await quiet(world)
        account = world.kommo.account
        client_writes(account, world.memory["deals"][0], "Hello")
        if bot:
            field = account.field("STRIPE_PAYMENT_LINK")
            assert field is not None
            made = add_bot(account, "Ask", f"Pay here: {{{{lead.cf.{field.id}}}}}")
            path = f"{world.url}/admin/api/accounts/{account.id}/options"
            answer = await world.http.put(path, json={"send_bot": made.id}, headers=world.admin)
            assert answer.status_code == 200, answer.text

    return before


async def _pressed(world: KillableWorld) -> None:
    await posts(world, f"/widget/requests/{uuid_of(0)}/send", {"sending_id": PRESS})


def _one_message_or_a_task(world: KillableWorld) -> None:
    account = world.kommo.account
    said = [one.text for one in account.chats.messages if not one.incoming]
    tasks = [one.text for one in account.tasks.values()]
    assert len(said) <= 1
    assert len(tasks) <= 1
    assert said or tasks
    assert all(world.memory["links"][0] in text for text in [*said, *tasks])


ALL = (
    Scenario("link sent in the chat", _with(bot=False), _pressed, _one_message_or_a_task, CHATS),
    Scenario("link sent by a bot", _with(bot=True), _pressed, _one_message_or_a_task, CHATS),
    Scenario("link sent as a task", _with(bot=False), _pressed, _one_message_or_a_task),
)
