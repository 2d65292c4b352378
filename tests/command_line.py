"""A command as an operator types it, in a process of its own.

The process is forked from one that has imported the product: a fresh Python spends most of a command's time on that.
What only a fresh Python shows has its tests in ``tests/cli``.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.__main__ import main
from tests.forks import FORKS
from tests.world import ADMIN_TOKEN, World

SECONDS = 60.0


def command(
    folder: Path, words: Sequence[str], environment: Mapping[str, str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    """The command run in ``folder`` to its end: exit code, output and errors. ``given`` is its input."""
    with tempfile.TemporaryDirectory() as made:
        streams = [Path(made, name) for name in ("input", "output", "errors")]
        for stream, text in zip(streams, (given, "", ""), strict=True):
            stream.write_text(text)
        process = FORKS.Process(target=_run, args=(folder, [*words], dict(environment), streams), daemon=True)
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{words} did not end within {SECONDS:g} s")
        output, errors = (stream.read_text(encoding="utf-8") for stream in streams[1:])
        return subprocess.CompletedProcess(words, process.exitcode, output, errors)


def _run(folder: Path, words: list[str], environment: dict[str, str], streams: list[Path]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams):
        os.dup2(os.open(stream, os.O_RDWR), number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, "w" if number else "r") for number in range(3))
    sys.argv = ["kommo-stripe", *words]
    main()


async def typed(product: World, folder: Path, *words: str, **more: str) -> tuple[int, str]:
    """The exit code, and all that was printed. ``folder`` holds the product's database, ``product.db``; ``more`` are
    settings that differ."""
    done = await asyncio.to_thread(command, folder, words, surroundings(product, folder) | more)
    return done.returncode, done.stdout + done.stderr


def surroundings(product: World, folder: Path) -> dict[str, str]:
    """The environment of a command."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    given = {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/product.db",
        "SECRET_KEYS": "a sealing key of the tests",
        "ADMIN_TOKEN": ADMIN_TOKEN,
        "PUBLIC_URL": product.url,
        "KOMMO_BASE_URL": product.kommo.base_url,
        "STRIPE_API_BASE": product.stripe.base_url,
    }
    return kept | given
