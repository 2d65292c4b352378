"""Secrets that must outlive a database that is away: kept in memory and tried again, and sealed in a file meanwhile."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from backend.core.vault import CannotOpen, Vault

T = TypeVar("T")
Store = Callable[[], Awaitable[T]]

SOON_SECONDS = 1.0
"""A commit that takes longer may not come in this process's life."""
AGAIN_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 2.0
AWAY = (SQLAlchemyError, OSError, TimeoutError)
"""What a unit of work raises while the database is away."""
PREFIX = "kommo-stripe-kept-"
log = structlog.get_logger()


class SealedFiles:
    """Files of one folder, each readable by its owner alone, sealed for its name.

    ``keep`` needs no file where the database takes the value at once.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder, self._vault = folder, vault
        self._under_way: set[asyncio.Task[Any]] = set()
        """The event loop itself holds its tasks weakly."""

    async def keep(self, name: str, secret: bytes, store: Store[T]) -> T:
        """The result of ``store``, which may be called again. Where the database is away its error is raised, and
        ``store`` is tried until it succeeds; a process that ends meanwhile leaves the secret in a file."""
        attempt = asyncio.ensure_future(store())
        try:
            await asyncio.wait({attempt}, timeout=SOON_SECONDS)
            if not attempt.done() or isinstance(attempt.exception(), AWAY):
                await asyncio.to_thread(self.write, name, secret)
            result = await attempt
        except asyncio.CancelledError:
            self.write(name, secret)
            raise
        except AWAY:
            self._later(name, store)
            raise
        except Exception:
            self.remove(name)
            raise
        self.remove(name)
        return result

    def get(self, name: str) -> bytes | None:
        """What a process left under this name; None also for what no key of ours opens."""
        try:
            return self._vault.open(self._path(name).read_bytes(), _row(name))
        except FileNotFoundError:
            return None
        except (OSError, CannotOpen) as error:
            log.warning("sealed file read failed", file=str(self._path(name)), reason=str(error))
            return None

    def left(self) -> Iterator[tuple[str, bytes]]:
        """All that earlier processes left, with the names."""
        for path in sorted(self._folder.glob(f"{PREFIX}*")):
            name = path.name.removeprefix(PREFIX)
            secret = None if name.endswith(".new") else self.get(name)
            if secret is not None:
                yield name, secret

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    async def settle(self, seconds: float) -> None:
        """Wait for what is under way, at most so long."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    def _later(self, name: str, store: Store[Any]) -> None:
        task = asyncio.create_task(self._until_stored(name, store))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _until_stored(self, name: str, store: Store[Any]) -> None:
        pause = AGAIN_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            try:
                await store()
            except AWAY as error:
                log.warning("sealed value deferred", what=name, reason=type(error).__name__)
                continue
            except Exception as error:  # it will not become better, and whoever asked has gone
                log.error("sealed value discarded", what=name, exc_info=error)
            else:
                log.info("sealed value stored", what=name)
            self.remove(name)
            return

    def write(self, name: str, secret: bytes) -> None:
        """Whole or not at all, and on the disk when this returns."""
        path = self._path(name)
        new = path.with_name(f"{path.name}.new")
        try:
            new.unlink(missing_ok=True)
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "wb") as sink:
                sink.write(self._vault.seal(secret, _row(name)))
                sink.flush()
                os.fsync(sink.fileno())
            new.replace(path)
        except OSError as error:
            log.error("sealed file write failed", file=str(path), reason=str(error))
        else:
            log.warning("sealed file written", file=str(path))

    def _path(self, name: str) -> Path:
        return self._folder / f"{PREFIX}{name}"


def _row(name: str) -> str:
    return f"file:{name}"


def beside(database_url: str, state_dir: str) -> Path:
    """``state_dir``; without one the folder of a SQLite database, else the working directory."""
    url = make_url(database_url)
    if state_dir:
        return Path(state_dir)
    is_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    return Path(str(url.database)).absolute().parent if is_file else Path.cwd()
