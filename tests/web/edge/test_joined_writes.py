"""An answer leaves in one piece, in order, and whole even where the connection closes behind it."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from backend.web.joined_writes import JoinedWrites

pytestmark = pytest.mark.anyio


class _Wire(asyncio.Transport):
    """What was handed to the system, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def wire() -> _Wire:
    return _Wire()


async def test_a_head_and_its_body_are_one_piece(wire: _Wire) -> None:
    joined = JoinedWrites(wire, asyncio.get_running_loop())
    joined.write(b"head")
    assert wire.pieces == []
    joined.write(b"body")
    assert wire.pieces == [b"headbody"]
    await asyncio.sleep(0)
    assert wire.pieces == [b"headbody"]


async def test_a_head_that_stays_alone_leaves_at_the_next_round(wire: _Wire) -> None:
    joined = JoinedWrites(wire, asyncio.get_running_loop())
    joined.write(b"head")
    await asyncio.sleep(0)
    joined.write(b"part")
    await asyncio.sleep(0)
    assert wire.pieces == [b"head", b"part"]


async def test_what_is_held_leaves_before_the_connection_closes(wire: _Wire) -> None:
    joined = JoinedWrites(wire, asyncio.get_running_loop())
    for piece in (b"a", b"b", b"c"):
        joined.write(piece)
    joined.close()
    assert (wire.pieces, wire.is_closed) == ([b"ab", b"c"], True)
