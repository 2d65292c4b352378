#!/usr/bin/env python3
"""Set up what this machine lacks, then run.

  python3 run.py                     the sandbox: the whole product on this machine
  python3 run.py story               the same without a person, told step by step
  python3 run.py test [--full] …     lint and image, then the tests; --full adds those that take long; … goes to pytest
  python3 run.py lint                formatting, linter and types
  python3 run.py bench …             the measurements
  python3 run.py image               the Dockerfile's steps without a container engine, and what they made, proven
  python3 run.py lock                make the lock files again (needs uv)

and any command of the product, each with --help:

  python3 run.py init                first set-up of a server: .env with fresh keys, widget.zip, and what to do in Kommo
  python3 run.py serve               the web, and the worker beside it unless --no-worker
  python3 run.py worker              the worker alone; --once does what is due, and ends
  python3 run.py migrate             bring the database up to date
  python3 run.py doctor              is everything as it should be; --json for programs
  python3 run.py widget build        widget.zip with this server's address in it
  python3 run.py events …            what Stripe sent: list, show, replay, catch-up
  python3 run.py payments …          payments that fit no deal: unmatched, attach, detach
  python3 run.py integrations …      several Kommo accounts on one server: list, add, remove
  python3 run.py keys rotate         seal what is stored under a new key
  python3 run.py shadow …            trying the product beside other software: on, report, off

Needs Python 3.11 or newer on Debian, Ubuntu or macOS, and nothing else. Everything happens in the folder of this file,
wherever it is called from.
"""

# Standard library only, in words that an old Python can read too: it must live long enough to say that it is too old.
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tools.bootstrap.browser import ready_browser
from tools.bootstrap.checkers import ready_checkers
from tools.bootstrap.environment import ready_python
from tools.bootstrap.locks import DEV_LOCK, LOCK, SANDBOX_LOCK, make_locks
from tools.bootstrap.machine import CannotSetUp, Machine, say, this_machine
from tools.bootstrap.python import newer_python

if TYPE_CHECKING:
    Child = subprocess.Popen[bytes]
FOLDER = Path(__file__).resolve().parent
LINT = (("-m", "ruff", "check", "."), ("-m", "ruff", "format", "--check", "."), ("-m", "mypy"))
IMAGE = ("-m", "tools.image", "--if-possible")
COLLECT = ("-m", "pytest", "--collect-only", "-p", "no:terminal", "-p", "no:xdist", "-o", "addopts=")
"""All tests are imported once, and so compiled once, before several workers import them at the same time."""


def main(words: Sequence[str]) -> int:
    try:
        newer = newer_python(sys.version_info[:2], shutil.which)
        if newer:
            os.execv(newer, [newer, *sys.argv])  # noqa: S606
        machine = this_machine(FOLDER)
        os.chdir(machine.folder)
        return command(machine, words)
    except CannotSetUp as error:
        say(str(error))
        return 1
    except PermissionError as error:
        say(f"{error.filename} can't be written by this user: {error.strerror}.")
        return 1
    except KeyboardInterrupt:
        return 130


def command(machine: Machine, words: Sequence[str]) -> int:
    if words and words[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if list(words) == ["lock"]:
        return make_locks(machine)
    plan = plan_for(words, os.cpu_count() or 1)
    python = ready_python(machine, plan.lock)
    if plan.browser:
        os.environ["CHROMIUM_PATH"] = ready_browser(machine, python)
        # Compiled modules are kept even where the machine's settings say no: the tests start hundreds of processes.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    checks = ready_checkers(machine, python) if plan.scripts else ()
    beside = [[str(python), *step] for step in plan.beside]
    return run_steps([[str(python), *step] for step in (*checks, *plan.steps)], beside)


@dataclass(frozen=True)
class Plan:
    """The lock file whose packages are needed, and what the environment's Python is then called with, in order.

    ``scripts``: the JavaScript is checked first, where its checkers run on this machine. ``beside`` are steps that run
    at the same time as the others and are waited for before the last of them, which must not be disturbed.
    """

    lock: str
    steps: tuple[tuple[str, ...], ...]
    browser: bool = False
    scripts: bool = False
    beside: tuple[tuple[str, ...], ...] = ()


def plan_for(words: Sequence[str], cpus: int) -> Plan:
    name, *rest = words or ["sandbox"]
    if name == "lint":
        return Plan(DEV_LOCK, LINT, scripts=True)
    if name == "test":
        beside = (COLLECT, IMAGE) if set(rest) <= {"--full"} else ()  # who asks for some tests gets those
        return Plan(DEV_LOCK, (*LINT, pytest_call(rest, cpus)), browser=True, scripts=True, beside=beside)
    if name in ("bench", "image"):
        return Plan(DEV_LOCK, (("-m", {"bench": "bench", "image": "tools.image"}[name], *rest),))
    lock = SANDBOX_LOCK if name in ("sandbox", "story") else LOCK
    return Plan(lock, (("-m", "backend", name, *rest),))


def pytest_call(given: Sequence[str], cpus: int) -> tuple[str, ...]:
    """What the caller says comes last, so that an ``-n`` or ``-m`` of theirs wins over ours."""
    # Much of a test is waiting, so two cores have room for four. Each worker has a Chromium and a PostgreSQL of its
    # own: more than six only get in each other's way.
    workers = str(max(4, min(6, cpus)))
    daily = () if "--full" in given else ("-m", "not full")
    rest = (word for word in given if word != "--full")
    return ("-m", "pytest", "-n", workers, "--dist", "loadfile", "--no-loadscope-reorder", *daily, *rest)


def run_steps(steps: Sequence[Sequence[str]], beside: Sequence[Sequence[str]] = ()) -> int:
    """Run all, even after one failed (a complaint about style must not hide a failing test); the last bad exit code."""
    if len(steps) == 1 and not beside:
        os.execv(steps[0][0], list(steps[0]))  # noqa: S606  (signals and the exit code then need no passing on)
    *first, last = steps
    with started(beside) as children:
        ended = [(step, follow(subprocess.Popen(step))) for step in first]
        ended += [(step, shown_at_its_end(child, said)) for step, child, said in children]
    ended.append((last, follow(subprocess.Popen(last))))
    failed = [(step, code) for step, code in ended if code != 0]
    for step, code in failed:
        say(f"failed with exit code {code}: python {' '.join(step[1:4])}")
    return failed[-1][1] if failed else 0


@contextmanager
def started(steps: Sequence[Sequence[str]]) -> Iterator[Sequence[tuple[Sequence[str], Child, IO[bytes]]]]:
    """Each step, its process and what it has said, all running at once; those that still run at the end are ended."""
    with ExitStack() as stack:
        children = []
        for step in steps:
            said = stack.enter_context(tempfile.TemporaryFile())
            children.append((step, subprocess.Popen(step, stdout=said, stderr=said), said))
        try:
            yield children
        finally:
            for _, child, _ in children:
                child.terminate()  # nothing happens to one that has ended
                child.wait()


def shown_at_its_end(child: Child, said: IO[bytes]) -> int:
    """The exit code, once what it said has been shown together."""
    code = follow(child)
    said.seek(0)
    for line in said.read().decode(errors="replace").splitlines():
        say(line)
    return code


def follow(child: Child) -> int:
    """Wait for a child's end. A Ctrl-C reaches it by itself; it gets the time to put its servers away."""
    interrupted = False
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.returncode is None:
        try:
            child.wait()
        except KeyboardInterrupt:
            interrupted = True
    signal.signal(signal.SIGTERM, before)
    if interrupted:
        raise KeyboardInterrupt
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
