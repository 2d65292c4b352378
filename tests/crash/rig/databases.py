"""Databases for many runs from the same beginning: an empty one, and copies of one that is filled."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import make_url


class Databases(Protocol):
    """Both answer the URL of the database ``name``; what it held before is gone."""

    def empty(self, name: str) -> str: ...

    def copy(self, filled: str, name: str) -> str:
        """``filled`` is a name, too; nobody may be connected to it."""


@dataclass(frozen=True)
class Sqlite:
    folder: Path

    def empty(self, name: str) -> str:
        for path in self.folder.glob(f"{name}.db*"):
            path.unlink()
        return f"sqlite+aiosqlite:///{self.folder}/{name}.db"

    def copy(self, filled: str, name: str) -> str:
        url = self.empty(name)
        for path in self.folder.glob(f"{filled}.db*"):
            shutil.copyfile(path, path.with_name(path.name.replace(filled, name, 1)))
        return url


@dataclass(frozen=True)
class Postgres:
    """On the server of this URL; ``prefix`` keeps several users of one server apart."""

    server_url: str
    prefix: str

    def empty(self, name: str) -> str:
        return self._make(name, "template0")

    def copy(self, filled: str, name: str) -> str:
        return self._make(name, f"{self.prefix}_{filled}")

    def _make(self, name: str, template: str) -> str:
        made = f"{self.prefix}_{name}"
        with psycopg.connect(self.server_url.replace("+psycopg", "", 1), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {made} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {made} TEMPLATE {template} STRATEGY FILE_COPY")
        return make_url(self.server_url).set(database=made).render_as_string(hide_password=False)
