"""Who takes the next slot: accounts in turn, people first, and every third slot for a backlog that waits."""

import asyncio

from backend.rate_limit.fair_gate import FairGate

Asked = list[tuple[int, str]]


async def served(asked: Asked, *, cancelled: tuple[int, ...] = ()) -> Asked:
    """The order in which those who all wait at once get their turn."""
    gate, order = FairGate(), []

    async def one(account: int, kind: str) -> None:
        async with gate.turn(account, backlog=kind == "backlog"):
            order.append((account, kind))

    async with gate.turn(0, backlog=False):
        tasks = [asyncio.create_task(one(*each)) for each in asked]
        await asyncio.sleep(0)
        for number in cancelled:
            tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return order


async def test_an_account_with_many_callers_delays_another_by_one_call() -> None:
    order = await served([(1, "person")] * 20 + [(2, "person")] * 2)
    assert [account for account, _ in order[:4]] == [1, 2, 1, 2]


async def test_people_of_one_account_do_not_go_before_the_backlog_of_another() -> None:
    order = await served([(1, "person")] * 6 + [(2, "backlog")] * 3)
    assert [account for account, _ in order[:6]] == [1, 2, 1, 2, 1, 2]


async def test_within_an_account_every_third_slot_is_the_backlogs() -> None:
    order = await served([(1, "backlog")] * 3 + [(1, "person")] * 6)
    assert "".join(kind[0] for _, kind in order) == "ppbppbppb"


async def test_one_who_gives_up_leaves_the_place_to_the_next() -> None:
    order = await served([(1, "person"), (2, "person"), (3, "person")], cancelled=(0, 1))
    assert order == [(3, "person")]


async def test_a_gate_that_nobody_holds_is_open_again() -> None:
    gate = FairGate()
    for _ in range(2):
        async with gate.turn(1, backlog=True):
            pass


async def test_one_who_is_stopped_as_its_turn_comes_hands_it_on() -> None:
    gate, order = FairGate(), []

    async def one(number: int) -> None:
        async with gate.turn(number, backlog=False):
            order.append(number)

    async with gate.turn(0, backlog=False):
        first, second = asyncio.create_task(one(1)), asyncio.create_task(one(2))
        await asyncio.sleep(0)
    first.cancel()  # its turn came with the end of the block above
    await asyncio.gather(first, second, return_exceptions=True)
    assert order[-1:] == [2]
