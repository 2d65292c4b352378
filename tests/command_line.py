"""A command as an operator types it, beside the running product."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.world import ADMIN_TOKEN, World

ROOT = Path(__file__).parents[1]


async def typed(product: World, folder: Path, *words: str, **more: str) -> tuple[int, str]:
    """The exit code, and all that was printed. ``folder`` holds the product's database, ``product.db``; ``more`` are
    settings that differ."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "backend", *words],
        cwd=folder, env=surroundings(product, folder) | more, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def surroundings(product: World, folder: Path) -> dict[str, str]:
    """The environment of a command."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    given = {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/product.db",
        "SECRET_KEYS": "a sealing key of the tests",
        "ADMIN_TOKEN": ADMIN_TOKEN,
        "PUBLIC_URL": product.url,
        "KOMMO_BASE_URL": product.kommo.base_url,
        "STRIPE_API_BASE": product.stripe.base_url,
    }
    return kept | given
