"""The computer, as far as setting it up asks about it."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Completed = subprocess.CompletedProcess[str]


class CannotSetUp(Exception):
    """Something is missing that could not be got; the message says what to do."""


@dataclass(frozen=True)
class Machine:
    """The computer, as far as the steps below ask about it."""

    folder: Path
    system: str  # linux, darwin
    distribution: str  # debian, ubuntu, … ; empty where there is none
    release: str
    python: str  # which Python this is, to the build
    superuser: bool
    person: bool  # somebody sits at the terminal and can be asked for a password
    certificates: Path  # where the system keeps those it trusts
    which: Callable[[str], str | None]
    run: Callable[..., Completed]

    def can(self, *command: object, **how: Any) -> bool:
        """Run it; True if it went well."""
        return self.run(*command, **how).returncode == 0

    @property
    def private(self) -> Path:
        """Where packages are unpacked that could not be installed; another release's libraries must not be mixed in."""
        return self.folder / ".deb" / f"{self.distribution}{self.release}-{platform.machine()}"


def this_machine(folder: Path) -> Machine:
    try:
        names = platform.freedesktop_os_release()
    except OSError:
        names = {}
    return Machine(
        folder=folder,
        system=sys.platform,
        distribution=names.get("ID", ""),
        release=names.get("VERSION_ID", ""),
        python=sys.version,
        superuser=os.geteuid() == 0,
        person=sys.stdin is not None and sys.stdin.isatty(),
        certificates=Path("/etc/ssl/certs/ca-certificates.crt"),
        which=shutil.which,
        run=run,
    )


def run(*command: object, quiet: bool = False, **how: Any) -> Completed:
    """Run a command to its end; ``quiet`` keeps what it says in the answer instead of showing it."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=quiet, text=True, check=False, **how)


def say(text: str) -> None:
    print("==>", text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def alone(machine: Machine) -> Iterator[None]:
    """Of two runs at the same time, one sets up and the other waits for it."""
    import fcntl

    path = machine.folder / ".cache" / "run.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is setting up here; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
