"""The product as a process that can die at a commit: the ``serve`` of production, forked from one that imported it."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, configure_mappers

from backend.core.config import Settings
from backend.server.serving import serve
from tests.crash.rig.shared_clock import SharedClock

FAST = 1000.0
"""Calls a second: the rate is tested elsewhere, and here it would be most of the time."""

configure_mappers()


@dataclass(frozen=True)
class AtCommit:
    """Death before the n-th commit of a process, counted from 0, or after it."""

    number: int
    when: Literal["before", "after"]


def live(given: Mapping[str, Any], board: Path, log: Path, death: AtCommit | None) -> None:
    """A whole life of the product, in a process of its own; ends by SIGTERM, SIGKILL or ``death``."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    shared = SharedClock(board)
    _count_commits(shared, death)
    settings = Settings(_env_file=None, **given).model_copy(update={"kommo_rate": FAST, "kommo_ip_rate": FAST})
    asyncio.run(serve(settings, with_worker=True, clock=shared))


def _count_commits(board: SharedClock, death: AtCommit | None) -> None:
    board.commits = 0

    def before(_connection: object) -> None:
        if death == AtCommit(board.commits, "before"):
            _die()
        board.commits += 1

    def after(_session: object) -> None:
        if death is not None and death.when == "after" and board.commits > death.number:
            _die()

    event.listen(Engine, "commit", before)
    event.listen(Session, "after_commit", after)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
