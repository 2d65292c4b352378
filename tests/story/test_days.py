"""The local worlds' clock is moved from day to day while the product works."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("days", [4, pytest.param(100, marks=pytest.mark.full)])
async def test_every_payment_of_many_days_is_on_its_deal(tmp_path: Path, days: int) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "backend", "sandbox", "--days", str(days)],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{days} payments on their deals, {days // 10} refunded" in done.stdout
