"""Many processes use some accounts while their tokens are renewed again and again, and answers get lost on the way."""

from itertools import cycle
from pathlib import Path
from typing import Literal

import pytest

from backend.accounts.tokens.sealed import open_pair
from tests.accounts.tokens.calling_processes import Callers
from tests.crash.rig.shared_clock import SharedClock
from tests.world import TOKEN, Tenant, World, new_tenant, open_world

LOST = cycle(("drop_before", "drop_after", "cut"))
LOST_EVERY = 10


def age(board: SharedClock, number: int, tenants: list[Tenant]) -> Literal["call", "ready"]:
    """Half of the tokens' life is over, or all of it, or Kommo took them back: that only a call finds out."""
    if number % 3:
        board.advance((0, 13 * 3600, 25 * 3600)[number % 3])
        return "ready"
    for tenant in tenants:
        tenant.end_access()
    return "call"


def lose(here: World, before: int, after: int) -> int:
    """One answer of every ten; how many that is between these two numbers of rotations."""
    lost = after // LOST_EVERY - before // LOST_EVERY
    for _ in range(lost):
        here.kommo.faults.add(next(LOST), TOKEN)
    return lost


@pytest.mark.parametrize(
    ("processes", "accounts", "rounds"), [(3, 2, 10), pytest.param(20, 2, 1000, marks=pytest.mark.full)]
)
async def test_each_rotation_is_one_refresh_and_no_token_is_lost(
    database_url: str, tmp_path: Path, processes: int, accounts: int, rounds: int
) -> None:
    board = SharedClock(tmp_path / "board")
    async with open_world(database_url, clock=board, own_hosts=True) as here:
        here.kommo.switches.set("old_refresh_token", "grace")
        tenants = [await new_tenant(here) for _ in range(accounts)]
        callers = Callers(processes, database_url, board.path, here.kommo_address, [one.account.id for one in tenants])
        lost = 0
        try:
            await callers.started()
            for number in range(1, rounds + 1):
                word = age(board, number, tenants)
                lost += lose(here, (number - 1) * accounts, number * accounts)
                assert await callers.all(word) == [], number
                for tenant in tenants:
                    row = await tenant.row()
                    assert row.token_version == 1 + number
                    pair = here.kommo.wallet.by_access[open_pair(here.resources, row).access_token]
                    assert here.kommo.access_is_live(pair)
        finally:
            callers.end()
        assert sum(one.path == TOKEN for one in here.kommo.requests) == accounts * (1 + rounds) + lost
        assert lost == accounts * rounds // LOST_EVERY
        assert {(await one.row()).state for one in tenants} == {"connected"}
        assert [(await one.call()).id for one in tenants] == [one.account.id for one in tenants]
