"""Links that expire, are replaced or cancelled while somebody opens them."""

from tests.crash.acting import asks, opens, pays, posts
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import all_show, linked, shows, uuid_of

HOUR = 3600.0
IN_GRACE = {"old_refresh_token": "grace"}
"""Time passes here, so tokens are refreshed; whoever dies between Kommo's answer and its commit needs this reading."""


async def _about_to_expire(play: Play) -> None:
    play.board.advance(23.5 * HOUR)
    play.stripe.tick()
    await pays(play, play.memory["links"][0])


async def _expired(play: Play) -> None:
    play.board.advance(24.5 * HOUR)
    play.stripe.tick()
    await pays(play, play.memory["links"][0])


def _paid_by_one_session(play: Play) -> None:
    assert shows(play) == ("Paid", "Paid")
    states = [session["status"] for session in play.shelf.objects["checkout.session"].values()]
    assert states.count("complete") == 1
    assert states.count("open") == 0


async def _replaced(play: Play) -> None:
    lead = play.memory["deals"][0]
    newer = await asks(play, lead, uuid_of(1), "80.00", replaces=uuid_of(0))
    await pays(play, newer)


async def _cancelled(play: Play) -> None:
    await opens(play, play.memory["links"][0])
    await posts(play, f"/widget/requests/{uuid_of(0)}/cancel")


def _nothing_payable(play: Play) -> None:
    assert shows(play)[0] == "Failed"
    assert {session["status"] for session in play.shelf.objects["checkout.session"].values()} == {"expired"}


async def _asked_and_left(play: Play) -> None:
    """Two links for one deal; the first is paid."""
    lead = play.memory["deals"][0]
    await asks(play, lead, uuid_of(1), "30.00")
    await quiet(play)
    await pays(play, play.memory["links"][0])


ALL = (
    Scenario("link opened while its session expires", linked(), _about_to_expire, _paid_by_one_session, IN_GRACE),
    Scenario("link whose session has expired", linked(), _expired, _paid_by_one_session, IN_GRACE),
    Scenario("link replaced", linked(), _replaced, _paid_by_one_session),
    Scenario("link cancelled", linked(), _cancelled, _nothing_payable),
    Scenario("two links, one paid", linked(), _asked_and_left, all_show("Partially paid", "New")),
)
