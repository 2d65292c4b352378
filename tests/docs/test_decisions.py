"""A decision has one form, so that a reader finds in each at once what holds, why, and what was turned down."""

import re
from pathlib import Path

import pytest

from tests.docs.text import ROOT, read

DECISIONS = sorted((ROOT / "docs/decisions").iterdir())
HEADINGS = ["Status", "Context", "Decision", "Consequences", "Alternatives"]
STATUS = re.compile(r"(Proposed|Accepted|Superseded by \d{4}), \d{4}-\d{2}-\d{2}\.")
VERB = re.compile(r"\b(are|is|was|were|may|can|has|have|gets?|goes|waits?|holds?|keeps?|moves?)\b")
NAME = re.compile(r"(?P<number>\d{4})-[a-z0-9]+(-[a-z0-9]+)+\.md")

each = pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.name[:4])


def _sections(decision: Path) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", read(decision), flags=re.MULTILINE)[1:]
    return {heading: body.strip() for heading, body in zip(parts[::2], parts[1::2], strict=True)}


def test_decisions_are_numbered_without_a_gap() -> None:
    names = [NAME.fullmatch(path.name) for path in DECISIONS]
    assert [int(name["number"]) for name in names if name] == list(range(1, len(DECISIONS) + 1))


@each
def test_the_title_is_a_noun_phrase_under_the_number_of_the_file(decision: Path) -> None:
    number, _, title = read(decision).partition("\n")[0].removeprefix("# ").partition(": ")
    assert number == decision.name[:4]
    assert len(title.split()) >= 4
    assert not title.endswith((".", "?"))
    assert not VERB.search(title)


@each
def test_a_decision_has_the_five_headings_in_order_and_something_under_each(decision: Path) -> None:
    sections = _sections(decision)
    assert list(sections) == HEADINGS
    assert all(sections.values())


@each
def test_the_status_has_a_word_and_a_date(decision: Path) -> None:
    assert STATUS.fullmatch(_sections(decision)["Status"])
