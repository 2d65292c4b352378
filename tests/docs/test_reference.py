"""What a document lists (settings, commands, tables) is what the product has."""

import re

from sqlmodel import SQLModel

from backend.cli.app import COMMANDS
from backend.core.config import Settings
from backend.storage import models  # noqa: F401  (its import fills the metadata)
from run import plan_for
from tests.docs.text import ROOT, read

README = read(ROOT / "README.md")


def _first_cells(text: str, title: str) -> list[str]:
    table = text.partition(title)[2].partition("\n\n")[0]
    return [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]


def test_the_readme_names_every_setting_and_no_other() -> None:
    named = {name for cell in _first_cells(README, "| setting | ") for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert named == {name.upper() for name in Settings.model_fields}


def test_every_command_that_the_readme_names_exists() -> None:
    told = [cell for cell in _first_cells(README, "| command | what it does |") if "`" in cell]
    first = {cell.split("`")[1].removeprefix("python3 run.py").split(" ")[1:2][0] for cell in told if "run.py " in cell}
    ours = {word for word in first if plan_for([word], 2).steps[-1][1] != "backend"}
    assert ours == {"image", "test"}
    assert first - ours <= COMMANDS.keys()


def test_every_table_that_the_design_names_exists() -> None:
    data = read(ROOT / "docs/design.md").partition("\n## 4.")[2]
    named = {name for cell in _first_cells(data, "| table | ") for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 10
    assert named <= SQLModel.metadata.tables.keys()
