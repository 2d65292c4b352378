"""A database of each kind, empty and durable: with fsync, as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import running_postgres

KINDS = ("sqlite", "postgres")


@contextmanager
def database_of(kind: str, folder: Path) -> Iterator[str]:
    """Its ``DATABASE_URL``."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder}/bench.db"
        return
    with running_postgres(durable=True) as url:
        yield url
