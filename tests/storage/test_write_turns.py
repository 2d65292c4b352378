"""Whose turn it is to write: in order, the door before all others, and never lost with a waiter that gave up."""

import asyncio

import pytest

from backend.storage.write_turns import WriteTurns


async def _write(turns: WriteTurns, name: str, done: list[str], *, first: bool = False) -> None:
    async with turns.turn(first=first):
        await asyncio.sleep(0)
        done.append(name)


async def test_the_door_goes_before_those_that_waited_longer() -> None:
    turns, done = WriteTurns(), list[str]()
    async with asyncio.TaskGroup() as tasks:
        async with turns.turn():
            for name in ("a", "b"):
                tasks.create_task(_write(turns, name, done))
            await asyncio.sleep(0)
            tasks.create_task(_write(turns, "door", done, first=True))
            await asyncio.sleep(0)
            done.append("holder")
        tasks.create_task(_write(turns, "late", done))
    assert done == ["holder", "door", "a", "b", "late"]


async def test_a_turn_that_does_not_come_in_time_is_given_up_and_the_next_one_has_it() -> None:
    turns, done = WriteTurns(), list[str]()
    async with asyncio.TaskGroup() as tasks, turns.turn():
        with pytest.raises(TimeoutError):
            async with turns.turn(seconds=0.01):
                raise AssertionError("it is taken")
        tasks.create_task(_write(turns, "next", done))
        await asyncio.sleep(0)
    assert done == ["next"]


async def test_a_waiter_that_is_cancelled_as_its_turn_comes_passes_it_on() -> None:
    turns, done = WriteTurns(), list[str]()
    async with turns.turn():
        cancelled = asyncio.create_task(_write(turns, "cancelled", done))
        other = asyncio.create_task(_write(turns, "other", done))
        await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled, other], timeout=5)
    assert (done, cancelled.cancelled()) == (["other"], True)


async def test_a_unit_that_fails_gives_its_turn_back() -> None:
    turns, done = WriteTurns(), list[str]()
    with pytest.raises(ZeroDivisionError):
        async with turns.turn():
            raise ZeroDivisionError
    await asyncio.wait_for(_write(turns, "next", done), 5)
    assert done == ["next"]
