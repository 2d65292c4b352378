"""The main job passes in every reading of every doubtful point of Kommo's and Stripe's documents."""

from pathlib import Path

import pytest

from tests.story.main_job import every_reading, main_job, some_readings

SAMPLE = {
    ("kommo", "old_refresh_token", "grace"),
    ("kommo", "install_hook", "comes"),
    ("kommo", "batch", "partial"),
    ("kommo", "field_code", "refused"),
    ("stripe", "account_default_version", "legacy"),
    ("stripe", "event_order", "session_first"),
}
"""Played daily: the readings that ask the most of us."""
COMBINATIONS, DAILY = range(50), {7}


def _weighed() -> list[object]:
    return [
        pytest.param(*one, id="-".join(one), marks=() if one in SAMPLE else pytest.mark.full) for one in every_reading()
    ]


@pytest.mark.parametrize(("world", "switch", "reading"), _weighed())
async def test_the_main_job_passes_in_every_reading(tmp_path: Path, world: str, switch: str, reading: str) -> None:
    chosen = {switch: reading}
    await main_job(tmp_path, chosen if world == "kommo" else {}, chosen if world == "stripe" else {})


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed in DAILY else pytest.mark.full) for seed in COMBINATIONS]
)
async def test_the_main_job_passes_in_readings_by_chance(tmp_path: Path, seed: int) -> None:
    kommo, stripe = some_readings(seed)
    try:
        await main_job(tmp_path, kommo, stripe)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: Kommo {kommo}, Stripe {stripe}") from error


def test_the_sample_is_of_readings_that_exist() -> None:
    assert set(every_reading()) >= SAMPLE
