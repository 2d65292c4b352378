"""Links that expire, are replaced or cancelled while somebody opens them."""

from tests.crash.actions import asks, opens, pays, posts
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import all_show, linked, shows, uuid_of

HOUR = 3600.0
IN_GRACE = {"old_refresh_token": "grace"}
"""Time passes here, so tokens are refreshed; whoever dies between Kommo's answer and its commit needs this reading."""


async def _about_to_expire(world: KillableWorld) -> None:
    world.clock.advance(23.5 * HOUR)
    world.stripe.tick()
    await pays(world, world.memory["links"][0])


async def _expired(world: KillableWorld) -> None:
    world.clock.advance(24.5 * HOUR)
    world.stripe.tick()
    await pays(world, world.memory["links"][0])


def _paid_by_one_session(world: KillableWorld) -> None:
    assert shows(world) == ("Paid", "Paid")
    states = [session["status"] for session in world.shelf.objects["checkout.session"].values()]
    assert states.count("complete") == 1
    assert states.count("open") == 0


async def _replaced(world: KillableWorld) -> None:
    lead = world.memory["deals"][0]
    newer = await asks(world, lead, uuid_of(1), "80.00", replaces=uuid_of(0))
    await pays(world, newer)


async def _cancelled(world: KillableWorld) -> None:
    await opens(world, world.memory["links"][0])
    await posts(world, f"/widget/requests/{uuid_of(0)}/cancel")


def _nothing_payable(world: KillableWorld) -> None:
    assert shows(world)[0] == "Cancelled"
    assert {session["status"] for session in world.shelf.objects["checkout.session"].values()} == {"expired"}


async def _asked_and_left(world: KillableWorld) -> None:
    """Two links for one deal; the first is paid."""
    lead = world.memory["deals"][0]
    await asks(world, lead, uuid_of(1), "30.00")
    await quiet(world)
    await pays(world, world.memory["links"][0])


ALL = (
    Scenario("link opened while its session expires", linked(), _about_to_expire, _paid_by_one_session, IN_GRACE),
    Scenario("link whose session has expired", linked(), _expired, _paid_by_one_session, IN_GRACE),
    Scenario("link replaced", linked(), _replaced, _paid_by_one_session),
    Scenario("link cancelled", linked(), _cancelled, _nothing_payable),
    Scenario("two links, one paid", linked(), _asked_and_left, all_show("Partially paid", "New")),
)
