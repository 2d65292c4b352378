"""Thirty days of a shop on a bad line, at a server that dies now and then: at the end everything is as Stripe says."""

import os
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.crash.invariants import broken
from tests.crash.month import DAY, Month
from tests.crash.rig.databases import Sqlite
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.rig.slot import open_slot
from tests.crash.rig.wire import pass_by
from tests.crash.scenario import Scenario, begin
from tests.crash.scenarios.shop import deal, shows_what_the_ledger_says

SHOP = Scenario("a month", deal(), deal(), lambda _world: None, {"old_refresh_token": "grace"})


@pytest.mark.parametrize(
    ("happenings", "days"), [(25, 4.0), pytest.param(400, 30.0, marks=pytest.mark.full)], ids=["days", "month"]
)
async def test_after_a_month_of_faults_every_deal_shows_what_stripe_knows(
    tmp_path: Path, happenings: int, days: float
) -> None:
    seed = int(os.environ.get("MONTH_SEED") or SystemRandom().randrange(10**6))
    print(f"\nMONTH_SEED={seed}")
    async with open_slot(tmp_path, Sqlite(tmp_path)) as slot:
        world = (await begin(slot, SHOP)).again(slot)
        async with slot.running(world):
            month = Month(world, Random(seed))
            world.wire.fate = month.fate
            world.start()
            await month.live(happenings, days)
            world.wire.fate = lambda _passing: pass_by
            await quiet(world)
            await _all_holds(world)
            world.clock.advance(DAY + 3600.0)  # whatever is looked at again by then changes nothing
            world.stripe.tick()  # sessions expire now, and not while the last look is taken
            await quiet(world)
            await _all_holds(world)
            print(f"{len(world.wire.passed)} requests, {world.deaths} deaths")


async def _all_holds(world: KillableWorld) -> None:
    problems = await broken(world, many_faults=True)
    assert not problems, "\n".join(problems)
    for lead_id in world.kommo.account.leads:
        await shows_what_the_ledger_says(world, lead_id)
