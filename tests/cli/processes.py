"""The commands as processes of their own, in a folder of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.serving import free_port
from tests.command_line import command

ROOT = Path(__file__).parents[2]
GOOD = {"SECRET_KEYS": "a sealing key of the tests", "ADMIN_TOKEN": "admin-token-of-the-tests"}


def environment(**given: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT)} | given


def run(folder: Path, *words: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """A command to its end; ``given`` is its input."""
    return command(folder, words, environment(**settings), given)


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    port: int

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def line(self) -> str:
        """The next that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")


@contextmanager
def serving(folder: Path, *words: str, **more: str) -> Iterator[Served]:
    """``serve`` until the end of the block, by SIGTERM."""
    port = free_port()
    settings = GOOD | {"PUBLIC_URL": f"http://127.0.0.1:{port}", "PORT": str(port)} | more
    with subprocess.Popen(
        [sys.executable, "-m", "backend", "serve", *words],
        cwd=folder, env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            yield Served(process, port)
        finally:
            process.terminate()
            assert process.wait(30) == 0
