"""Installing, uninstalling, tokens."""

from sandbox.kommo.hooks.hooks import disable
from tests.crash.acting import installs, pays
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario, nothing
from tests.crash.scenarios.shop import all_show, linked

HOUR = 3600.0
IN_GRACE = {"old_refresh_token": "grace"}


def _anything(_play: Play) -> None:
    """The promises of all say it."""


async def _half_a_token_later(play: Play) -> None:
    play.board.advance(13 * HOUR)
    await pays(play, play.memory["links"][0])


async def _a_token_later(play: Play) -> None:
    play.board.advance(25 * HOUR)
    play.stripe.tick()
    await pays(play, play.memory["links"][0])


async def _removed_and_back(play: Play) -> None:
    """The client pays while nobody may write."""
    await disable(play.kommo, play.integration.client_id)
    await pays(play, play.memory["links"][0])
    await quiet(play)
    await installs(play)


async def _removed(play: Play) -> None:
    await disable(play.kommo, play.integration.client_id)
    await pays(play, play.memory["links"][0])


ALL = (
    Scenario("install", nothing, installs, _anything),
    Scenario("token refresh", linked(), _half_a_token_later, all_show("Paid", "Paid"), IN_GRACE),
    Scenario("token that has expired", linked(), _a_token_later, all_show("Paid", "Paid"), IN_GRACE),
    Scenario("uninstall", linked(), _removed, all_show("Pending", "New")),
    Scenario("uninstall and back", linked(), _removed_and_back, all_show("Paid", "Paid")),
)
