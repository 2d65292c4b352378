"""The product as its own process, started from settings alone, as an operator would."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 20.0


class ProductDidNotStart(Exception):
    """``serve`` ended or did not answer in time; the end of its log says why."""


@asynccontextmanager
async def running_product(
    settings: Mapping[str, str], folder: Path, *words: str, log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``serve`` (or other ``words``) with these settings and nothing else of ours, until the block ends.

    Its log goes to the file ``log``, or to this process's error stream. Raises ``ProductDidNotStart``.
    """
    process = await start_product(settings, folder, *words, log=log)
    try:
        await wait_until_ready(process, settings["PUBLIC_URL"])
        yield process
    finally:
        await stop_product(process)


async def start_product(
    settings: Mapping[str, str], folder: Path, *words: str, log: Path | None = None
) -> asyncio.subprocess.Process:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    with log.open("wb") if log else nullcontext() as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "backend",
            *(words or ("serve",)),
            cwd=folder,
            env={**kept, "PYTHONPATH": str(ROOT), **settings},
            stdout=asyncio.subprocess.DEVNULL,  # the caller says where it listens
            stderr=errors,
        )


def log_file() -> Path:
    """The file for the log of a product that a person starts in a checkout; its folder is made."""
    file = ROOT / ".cache/product.log"
    file.parent.mkdir(exist_ok=True)
    return file


async def wait_until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with httpx.AsyncClient(timeout=2.0) as http:
        for _ in range(int(START_SECONDS / 0.1)):
            if process.returncode is not None:
                raise ProductDidNotStart(f"it ended with {process.returncode}")
            try:
                if (await http.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass  # not listening yet
            await asyncio.sleep(0.1)
    raise ProductDidNotStart(f"nothing answered at {url} within {START_SECONDS:.0f} seconds")


async def stop_product(process: asyncio.subprocess.Process) -> int:
    """SIGTERM, and its exit code; killed where it does not obey in time."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        return await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        return await process.wait()
