"""``docs/world.md`` tells of every switch and fault that there is, of no other, and of code that exists."""

import re
from pathlib import Path

from sandbox.kommo.switches import SWITCHES as KOMMO
from sandbox.kommo.traffic.faults import KINDS as KOMMO_FAULTS
from sandbox.stripe.doubts.switches import SWITCHES as STRIPE
from sandbox.stripe.traffic.faults import KINDS as STRIPE_FAULTS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/world.md").read_text(encoding="utf-8")


def _rows(title: str) -> dict[str, list[str]]:
    """Switch → the cells of its row."""
    section = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row for row in rows}


def test_every_switch_is_told_with_each_reading_in_order() -> None:
    told = {**_rows("Kommo"), **_rows("Stripe")}
    readings = {name: list(switch.readings) for name, switch in KOMMO.items()}
    readings |= {name: list(switch.readings) for name, switch in STRIPE.items()}
    assert told.keys() == readings.keys()
    for name, row in told.items():
        assert [found for found in re.findall(r"`([^`]+)`", row[2]) if found in readings[name]] == readings[name], name


def test_every_switch_names_the_section_that_states_its_doubt() -> None:
    cited = {name: f"(docs/facts/kommo-api.md {switch.section})" for name, switch in KOMMO.items()}
    cited |= {name: f"docs/facts/stripe.md {switch.about.partition(':')[0]}:" for name, switch in STRIPE.items()}
    told = {**_rows("Kommo"), **_rows("Stripe")}
    assert [name for name, section in cited.items() if section not in told[name][1]] == []


def test_the_code_that_survives_a_doubt_exists() -> None:
    named = [
        path for row in (*_rows("Kommo").values(), *_rows("Stripe").values()) for path in re.findall(r"`(.+?)`", row[3])
    ]
    assert len(named) > 60
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert all(row[3].strip() for row in (*_rows("Kommo").values(), *_rows("Stripe").values()))


def test_every_fault_is_told() -> None:
    told = set(re.findall(r"`([a-z0-9_]+)`", TEXT.partition("## Faults")[2].partition("## Time")[0]))
    assert told - {"copies", "skew", "pace"} == set(KOMMO_FAULTS) | set(STRIPE_FAULTS)
