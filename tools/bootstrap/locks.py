"""The lock files: which there are, and making them again."""

from __future__ import annotations

import re

from tools.bootstrap.machine import CannotSetUp, Machine

LOCK, SANDBOX_LOCK = "requirements.lock", "requirements-sandbox.lock"
OTEL_LOCK = "requirements-otel.lock"
DEV_LOCK, JS_LOCK = "requirements-dev.lock", "requirements-js.lock"
BUILD_LOCK = "requirements-build.lock"
ALL_LOCKS = (LOCK, SANDBOX_LOCK, DEV_LOCK, JS_LOCK)
"""What the product needs, what the sandbox and the tests add to it, and the checkers of the JavaScript."""
IMAGE_LOCKS = (OTEL_LOCK, BUILD_LOCK)
"""What traces add to the product, and what makes its wheel: no environment of a checkout is made of these."""


def make_locks(machine: Machine) -> int:
    uv = machine.which("uv")
    if not uv:
        raise CannotSetUp("The lock files are made by uv, and it is not here. Install it, and start this again.")
    compile_lock(machine, uv, LOCK, "pyproject.toml")
    # The same versions in each, so that .venv can hold all.
    compile_lock(machine, uv, OTEL_LOCK, "--extra", "otel", "-c", LOCK, "pyproject.toml")
    compile_lock(machine, uv, SANDBOX_LOCK, "--extra", "sandbox", "-c", LOCK, "pyproject.toml")
    beside = ("-c", OTEL_LOCK, "-c", SANDBOX_LOCK, "pyproject.toml")
    compile_lock(machine, uv, DEV_LOCK, "--extra", "dev", "--extra", "otel", "--extra", "sandbox", *beside)
    compile_lock(machine, uv, JS_LOCK, "--group", "pyproject.toml:js")
    compile_lock(machine, uv, BUILD_LOCK, "--group", "pyproject.toml:build")
    return 0


def compile_lock(machine: Machine, uv: str, lock: str, *what: str) -> None:
    path = machine.folder / lock
    before = path.read_text() if path.exists() else ""
    how = ("--universal", "--generate-hashes", "--no-header", "--no-annotate", "-q", "--python-version", "3.11")
    done = machine.can(uv, "pip", "compile", *how, *what, "-o", lock, cwd=machine.folder)
    hosts = lines_with_a_host(path.read_text()) if done else []
    if hosts or not done:
        path.write_text(before)
        raise CannotSetUp(
            f"{lock} is left as it was: {'it would name a host, in ' + hosts[0] if hosts else 'uv failed'}"
        )


def lines_with_a_host(lock: str) -> list[str]:
    """A lock must install from wherever the machine gets its packages, so it names packages and hashes only."""
    option = re.compile(r"\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b|.*(://|\s@\s)")
    return [line.strip() for line in lock.splitlines() if option.match(line)]
