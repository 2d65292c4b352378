"""Thirty days of a shop on a bad line, at a server that dies now and then: at the end everything is as Stripe says."""

import os
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.crash.month import DAY, Month
from tests.crash.promises import broken
from tests.crash.rig.databases import Sqlite
from tests.crash.rig.lane import open_lane
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import quiet
from tests.crash.rig.wire import pass_by
from tests.crash.scenario import Scenario, begin
from tests.crash.scenarios.shop import deal, shows_what_the_ledger_says

SHOP = Scenario("a month", deal(), deal(), lambda _play: None, {"old_refresh_token": "grace"})


@pytest.mark.parametrize(
    ("happenings", "days"), [(25, 4.0), pytest.param(400, 30.0, marks=pytest.mark.full)], ids=["days", "month"]
)
async def test_after_a_month_of_faults_every_deal_shows_what_stripe_knows(
    tmp_path: Path, happenings: int, days: float
) -> None:
    seed = int(os.environ.get("MONTH_SEED") or SystemRandom().randrange(10**6))
    print(f"\nMONTH_SEED={seed}")
    async with open_lane(tmp_path, Sqlite(tmp_path)) as lane:
        play = (await begin(lane, SHOP)).again(lane)
        async with lane.playing(play):
            month = Month(play, Random(seed))
            play.wire.fate = month.fate
            play.start()
            await month.live(happenings, days)
            play.wire.fate = lambda _passing: pass_by
            await quiet(play)
            await _all_holds(play)
            play.board.advance(DAY + 3600.0)  # whatever is looked at again by then changes nothing
            await quiet(play)
            await _all_holds(play)
            print(f"{len(play.wire.passed)} requests, {play.deaths} deaths")


async def _all_holds(play: Play) -> None:
    problems = await broken(play)
    assert not problems, "\n".join(problems)
    for lead_id in play.kommo.account.leads:
        await shows_what_the_ledger_says(play, lead_id)
