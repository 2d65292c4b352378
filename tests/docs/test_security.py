"""What the security documents claim: every test that they name exists, and every table and sealed column is named."""

import re
from collections.abc import Iterator
from itertools import product

from sqlmodel import SQLModel

from backend.admin.rotate_keys import SEALED
from backend.storage import models  # noqa: F401  (its import fills the metadata)
from tests.docs.text import ROOT, read

DOCUMENT = read(ROOT / "docs/security.md")
COPY = read(ROOT / "SECURITY.md").partition("\n## What a stolen copy")[2].partition("\n## ")[0]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
NOT_YET = "*not yet*"


def _rows(text: str) -> list[list[str]]:
    """The cells of each row of each table, without heads."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    under = [*rows[1:], []]
    return [row for row, next_row in zip(rows, under, strict=True) if "---" not in (row + next_row)]


def _requirements() -> Iterator[tuple[str, str, str]]:
    """Chapter, number and last cell of each requirement."""
    for chapter in re.split(r"^## V", DOCUMENT, flags=re.MULTILINE)[1:]:
        for number, _, held_by in _rows(chapter.partition("\n## ")[0]):
            yield chapter.partition(" ")[0], number, held_by


def _has(path: str, name: str) -> bool:
    return (ROOT / path).is_file() and re.search(
        rf"^(async )?def {name}\(", read(ROOT / path), re.MULTILINE
    ) is not None


def test_every_test_that_is_named_exists() -> None:
    named = set(TEST.findall(DOCUMENT))
    assert len(named) > 80
    assert sorted(one for one in named if not _has(*one)) == []
    assert DOCUMENT.count("::") == len(TEST.findall(DOCUMENT))  # none is written in another form


def test_every_requirement_has_a_test_or_says_not_yet() -> None:
    bare = [number for _, number, held_by in _requirements() if not TEST.search(held_by) and NOT_YET not in held_by]
    assert bare == []


def test_every_requirement_stands_once_and_in_its_chapter() -> None:
    found = [(chapter, number) for chapter, number, _ in _requirements()]
    assert [one for one in found if not re.fullmatch(rf"{one[0]}\.\d+\.\d+", one[1])] == []
    assert len(found) == len(set(found))
    assert list(dict.fromkeys(chapter for chapter, _ in found)) == [str(n) for n in range(1, 17) if n != 5]


def test_the_stolen_copy_names_every_table() -> None:
    named = {name for row in _rows(COPY) for name in re.findall(r"`(\w+)`", row[0])}
    assert named == SQLModel.metadata.tables.keys()


def test_the_stolen_copy_names_every_sealed_column() -> None:
    named = [(re.findall(r"`(\w+)`", tables), re.findall(r"`(\w+)`", sealed)) for tables, sealed, _ in _rows(COPY)]
    told = {f"{table}.{column}" for tables, columns in named for table, column in product(tables, columns)}
    assert told == {f"{one.table.__tablename__}.{column}" for one in SEALED for column in one.columns}
