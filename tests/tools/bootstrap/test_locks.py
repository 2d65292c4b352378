"""The lock files name no host, agree, and are made by uv."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.tools.bootstrap.made_up import ROOT, Shell, having
from tools.bootstrap.locks import (
    ALL_LOCKS,
    BUILD_LOCK,
    DEV_LOCK,
    IMAGE_LOCKS,
    JS_LOCK,
    LOCK,
    OTEL_LOCK,
    SANDBOX_LOCK,
    lines_with_a_host,
    make_locks,
)
from tools.bootstrap.machine import CannotSetUp, Machine

LINES_WITH_A_HOST = [
    "--index-url https://packages.example/simple",
    "-i https://packages.example/simple",
    "--extra-index-url=http://packages.example",
    "--find-links /srv/wheels",
    "fastapi @ file:///srv/fastapi.whl",
    "fastapi @ git+https://code.example/fastapi",
]


@pytest.mark.parametrize("line", LINES_WITH_A_HOST)
def test_a_line_that_names_a_host_is_found(line: str) -> None:
    assert lines_with_a_host(f"fastapi==1.0 \\\n    --hash=sha256:00\n{line}\n") == [line]


@pytest.mark.parametrize("lock", [*ALL_LOCKS, *IMAGE_LOCKS])
def test_our_locks_name_no_host_and_no_package_without_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert lines_with_a_host(text) == []
    assert all("--hash=" in package for package in re.split(r"\n(?=\S)", text.strip()))


def test_our_locks_agree_on_every_version() -> None:
    product, traces, sandbox, development = (pins(ROOT / one) for one in (LOCK, OTEL_LOCK, SANDBOX_LOCK, DEV_LOCK))
    assert product < sandbox <= development
    assert product < traces <= development


def pins(lock: Path) -> set[str]:
    return {line.rstrip(" \\") for line in lock.read_text().splitlines() if "==" in line}


def test_a_lock_that_would_name_a_host_is_refused_and_the_old_one_stays(machine: Machine, shell: Shell) -> None:
    shell.works = ["uv pip compile"]
    shell.effects = {f"-o {LOCK}": lambda: (machine.folder / LOCK).write_text(LINES_WITH_A_HOST[0])}
    with pytest.raises(CannotSetUp, match=r"packages\.example"):
        make_locks(replace(machine, which=having("uv")))
    assert (machine.folder / LOCK).read_text() == "fastapi==1.0\n"


def test_all_locks_are_made_each_bound_to_the_one_before(machine: Machine, shell: Shell) -> None:
    shell.works = ["uv pip compile"]
    for lock in IMAGE_LOCKS:
        shell.effects[f"-o {lock}"] = partial((machine.folder / lock).write_text, "hatchling==1.0\n")
    assert make_locks(replace(machine, which=having("uv"))) == 0
    assert [line.partition(" -o ")[2] for line in shell.heard] == [
        LOCK, OTEL_LOCK, SANDBOX_LOCK, DEV_LOCK, JS_LOCK, BUILD_LOCK,
    ]  # fmt: skip
    assert "--extra" not in shell.heard[0]
    assert all(f"-c {LOCK}" in heard for heard in shell.heard[1:3])
    assert all(f"-c {lock}" in shell.heard[3] for lock in (OTEL_LOCK, SANDBOX_LOCK))


def test_making_the_lock_files_needs_uv(machine: Machine) -> None:
    with pytest.raises(CannotSetUp, match="made by uv"):
        make_locks(machine)
