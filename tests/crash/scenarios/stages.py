"""A deal enters a stage with a rule, and a bot waits at a step of ours."""

from sandbox.kommo.records import Trigger
from tests.crash.actions import stubbornly
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import ruled

SECONDS = 301.0
"""After so long Kommo sends a hook again that nobody answered."""


async def _ruled(world: KillableWorld) -> None:
    """A deal with a contact and a price, and an action that asks for it and sends the link as a task."""
    key = await ruled(world, settings={"channels": ["task"]})
    account, pipeline = world.kommo.account, world.kommo.account.main_pipeline
    stage = [status for status in pipeline.statuses if status.type == 0][1]
    address = f"{world.url}/kommo/hooks/rules"
    account.triggers.append(Trigger(pipeline.id, stage.id, address, {"payment_rule": key}))
    await quiet(world)


async def _enters(world: KillableWorld) -> None:
    """A person moves the deal; the hook is repeated until it is answered."""
    (action,) = world.kommo.account.triggers
    world.kommo.person().move_lead(world.memory["deals"][0], action.status_id)

    async def answered() -> bool | None:
        sent = [one for one in world.kommo.sent if one.kind == "digital_pipeline"]
        if any(one.status == 200 for one in sent):
            return True
        if sent and world.is_up:
            world.clock.advance(SECONDS)
        return None

    await stubbornly(world, answered)


def _asked_once(world: KillableWorld) -> None:
    sessions = [one for one in world.shelf.objects["checkout.session"].values() if one["status"] == "open"]
    texts = [task.text for task in world.kommo.account.tasks_of(world.memory["deals"][0])]
    assert [one["amount_total"] for one in sessions] == [12_000]
    assert len(texts) == 1, texts


ALL = (Scenario("deal enters a stage with a rule", _ruled, _enters, _asked_once),)
