"""Secrets that must survive an unreachable database: retried from memory, and sealed in a file meanwhile."""

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
"""After this wait for a commit the secret is also written to a file: this process may end before the commit."""
AGAIN_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 2.0
AWAY = (SQLAlchemyError, OSError, TimeoutError)
"""Errors of a unit of work while the database is unreachable."""
PREFIX = "kommo-stripe-kept-"
log = structlog.get_logger()


class SealedFiles:
    """Files in one folder, each readable by its owner alone and sealed for its name.

    ``keep`` needs no file if the database takes the value at once.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder, self._vault = folder, vault
        self._under_way: set[asyncio.Task[Any]] = set()
        """Strong references: the event loop itself holds its tasks weakly."""

    async def keep(self, name: str, secret: bytes, store: Store[T]) -> T:
        """The result of ``store``, which may be called more than once.

        If the database is unreachable, its error is raised and ``store`` is retried in the background until it
        succeeds; a process that ends meanwhile leaves the secret in a file. Other errors of ``store`` are raised and
        discard the secret.
        """
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
        """The secret left under this name, or None if there is none or no key can decrypt it."""
        try:
            return self._vault.open(self._path(name).read_bytes(), _row(name))
        except FileNotFoundError:
            return None
        except (OSError, CannotOpen) as error:
            log.warning("sealed file read failed", file=str(self._path(name)), reason=str(error))
            return None

    def left(self) -> Iterator[tuple[str, bytes]]:
        """All secrets left by earlier processes, as (name, secret); those that no key can decrypt are skipped."""
        for path in sorted(self._folder.glob(f"{PREFIX}*")):
            name = path.name.removeprefix(PREFIX)
            secret = None if name.endswith(".new") else self.get(name)
            if secret is not None:
                yield name, secret

    def remove(self, name: str) -> None:
        """Delete the file of this name, if there is one."""
        self._path(name).unlink(missing_ok=True)

    async def settle(self, seconds: float) -> None:
        """Wait at most ``seconds`` for the background retries."""
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
            except Exception as error:  # a retry would fail as well, and the caller is gone
                log.error("sealed value discarded", what=name, exc_info=error)
            else:
                log.info("sealed value stored", what=name)
            self.remove(name)
            return

    def write(self, name: str, secret: bytes) -> None:
        """Write the sealed secret to its file, completely or not at all, and flush it to the disk. A failure is only
        logged."""
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
    """The folder for sealed files: ``state_dir``, else the folder of a SQLite database, else the working directory."""
    url = make_url(database_url)
    if state_dir:
        return Path(state_dir)
    is_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    return Path(str(url.database)).absolute().parent if is_file else Path.cwd()
