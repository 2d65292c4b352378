"""The figures by name, their goals, and how they are told: as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping
from pathlib import Path

Figures = dict[str, float]
"""``share`` and ``ratio`` of 1, ``_ms`` milliseconds, ``_s`` seconds; a figure's name never changes."""

AT_LEAST: Mapping[str, float] = {
    "ingest.sqlite.ratio_to_bare_16": 0.60,
    "ingest.sqlite.ratio_to_bare_128": 0.95,
    "ingest.postgres.ratio_to_bare_16": 0.37,
    "ingest.postgres.ratio_to_bare_128": 0.75,
    "link.ratio_to_bare": 0.15,
    "poll.ratio_to_bare": 0.08,
    "ledger.events_per_s": 1400,
}
AT_MOST: Mapping[str, float] = {
    "ingest.sqlite.p99_ms_128": 45,
    "wake.p99_ms": 10,
    "takeover.killed_replica_s": 2,
    "card.idle_ms_over_round_trips": 50,
    "backlog.door_p99_ms": 100,
    "listing.page_ms": 300,
    "listing.postgres.page_ms": 300,
    "listing.file_mib": 8,
    "listing.postgres.file_mib": 8,
}
GROWTH = "growth.ingest_1m_over_1k"
LEAST_GROWTH = 0.85
"""How much of the speed at 1,000 finished events is left."""


def told(figures: Figures) -> str:
    """One line a figure: its name, its value, and its goal where it has one."""
    width = max(len(name) for name in figures)
    lines = (f"{name:<{width}}  {value:>10,.3f}  {_goal(name, value)}" for name, value in figures.items())
    return "\n".join(line.rstrip() for line in lines)


def _goal(name: str, value: float) -> str:
    if name in AT_MOST:
        return f"at most {AT_MOST[name]:g}{'' if value <= AT_MOST[name] else '  MISSED'}"
    least = {**AT_LEAST, GROWTH: LEAST_GROWTH}.get(name)
    return "" if least is None else f"at least {least:g}{'' if value >= least else '  MISSED'}"


def keep(figures: Figures, file: Path) -> None:
    file.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
