"""A bare machine for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.bootstrap.made_up import Shell, having, make_python
from tools.bootstrap.locks import DEV_LOCK, JS_LOCK, LOCK, SANDBOX_LOCK
from tools.bootstrap.machine import Machine


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """What is unpacked is found through the environment, which other tests share with us."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def machine(tmp_path: Path, shell: Shell) -> Machine:
    """A bare Debian, its user root, nobody at the terminal."""
    (tmp_path / LOCK).write_text("fastapi==1.0\n")
    (tmp_path / SANDBOX_LOCK).write_text("fastapi==1.0\njsonschema==4.0\n")
    (tmp_path / DEV_LOCK).write_text("fastapi==1.0\npytest==9.0\n")
    (tmp_path / JS_LOCK).write_text("deno==2.9\n")
    shell.effects[" venv "] = lambda: make_python(tmp_path)
    return Machine(
        folder=tmp_path,
        system="darwin",  # so that this machine's own libraries are not asked for
        distribution="debian",
        release="12",
        python="3.11.2 (made up)",
        superuser=True,
        person=False,
        certificates=tmp_path / "ca-certificates.crt",
        which=having("apt-get", "dpkg-deb"),
        run=shell.run,
    )


@pytest.fixture
def capable(machine: Machine, shell: Shell) -> Machine:
    """A machine whose Python has its venv module."""
    shell.works = ["-m venv", "pip install"]
    return machine
