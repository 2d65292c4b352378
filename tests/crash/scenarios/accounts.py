"""Installing, uninstalling, tokens."""

from sandbox.kommo.hooks.hooks import disable
from tests.crash.actions import installs, pays
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario, nothing
from tests.crash.scenarios.shop import all_show, linked

HOUR = 3600.0
IN_GRACE = {"old_refresh_token": "grace"}


def _anything(_world: KillableWorld) -> None:
    """The promises of all say it."""


async def _half_a_token_later(world: KillableWorld) -> None:
    world.clock.advance(13 * HOUR)
    await pays(world, world.memory["links"][0])


async def _a_token_later(world: KillableWorld) -> None:
    world.clock.advance(25 * HOUR)
    world.stripe.tick()
    await pays(world, world.memory["links"][0])


async def _removed_and_back(world: KillableWorld) -> None:
    """The client pays while nobody may write."""
    await disable(world.kommo, world.integration.client_id)
    await pays(world, world.memory["links"][0])
    await quiet(world)
    await installs(world)


async def _removed(world: KillableWorld) -> None:
    await disable(world.kommo, world.integration.client_id)
    await pays(world, world.memory["links"][0])


ALL = (
    Scenario("install", nothing, installs, _anything),
    Scenario("token refresh", linked(), _half_a_token_later, all_show("Paid", "Paid"), IN_GRACE),
    Scenario("token that has expired", linked(), _a_token_later, all_show("Paid", "Paid"), IN_GRACE),
    Scenario("uninstall", linked(), _removed, all_show("Pending", "New")),
    Scenario("uninstall and back", linked(), _removed_and_back, all_show("Paid", "Paid")),
)
