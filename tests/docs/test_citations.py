"""Every document that code, tests or documents cite exists, with the section that they name.

The form is ``docs/facts/stripe.md C8``, or ``docs/design.md 2.7, 8`` for several: no sign, comma or word before
the number.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sandbox.kommo.switches import SWITCHES as KOMMO
from sandbox.stripe.doubts.switches import SWITCHES as STRIPE
from tests.docs.text import ROOT, files, read

SECTION = r"(?:[A-I]?\d+(?:\.\d+)*|[A-I])(?![\w'])"
SECTIONS = rf"{SECTION}(?:(?:, | and | to | or ){SECTION})*"
DOCUMENT = re.compile(rf"(?<![\w/.-])(?P<path>[\w./-]*[\w-]\.md)\b(?: (?P<sections>{SECTIONS}))?")
BARE = re.compile(rf"(?:\b[Ss]ections? |§ ?|\.md, )(?P<sections>{SECTIONS})")
FORMS = {"docs/facts/stripe.md C8": ["C8"], "kommo-api.md 2.3, 3 and 11.1": ["2.3", "3", "11.1"], "design.md A": ["A"]}


@cache
def headings(document: Path) -> frozenset[str]:
    """The numbers that the document gives to its sections."""
    return frozenset(re.findall(rf"^#+ ({SECTION})\.? ", read(document), re.MULTILINE))


def _resolve(cited: str, source: Path) -> Path:
    """A document's path is from the root; a document may also name one from its own folder."""
    beside = (source.parent / cited).resolve()
    return beside if source.suffix == ".md" and beside.is_file() else ROOT / cited


def _citations() -> Iterator[tuple[Path, str, list[str]]]:
    for source in files():
        if source.is_relative_to(ROOT / "tests/docs"):
            continue
        for match in DOCUMENT.finditer(read(source)):
            yield source, match["path"], re.findall(SECTION, match["sections"] or "")


def _unresolved() -> Iterator[str]:
    for source, cited, sections in _citations():
        document = _resolve(cited, source)
        where = f"{source.relative_to(ROOT)}: {cited}"
        if not document.is_file():
            yield where
        else:
            yield from (f"{where} {section}" for section in sections if section not in headings(document))


def test_every_cited_document_and_section_exists() -> None:
    assert len(list(_citations())) > 100
    assert list(_unresolved()) == []


def test_a_section_is_cited_with_its_document() -> None:
    bare = [
        f"{source.relative_to(ROOT)}: {match[0]}"
        for source in files(".py", ".js", ".css", ".html")
        if not source.is_relative_to(ROOT / "tests/docs")
        for match in BARE.finditer(read(source))
    ]
    assert bare == []


@pytest.mark.parametrize("document", sorted(path.name for path in (ROOT / "docs/facts").glob("*.md")))
def test_a_document_s_own_references_lead_somewhere(document: str) -> None:
    path = ROOT / "docs/facts" / document
    own = re.sub(rf"MTT §{SECTION}", "", DOCUMENT.sub("", read(path)))
    cited = [section for match in BARE.finditer(own) for section in re.findall(SECTION, match["sections"])]
    assert [section for section in cited if section not in headings(path)] == []


@pytest.mark.parametrize(("citation", "sections"), FORMS.items())
def test_citations_are_read_in_each_form(citation: str, sections: list[str]) -> None:
    found = DOCUMENT.search(f"(as in {citation}): and so on")
    assert found
    assert re.findall(SECTION, found["sections"]) == sections


def test_each_doubt_that_the_sandbox_plays_names_a_section_of_the_facts() -> None:
    kommo, stripe = headings(ROOT / "docs/facts/kommo-api.md"), headings(ROOT / "docs/facts/stripe.md")
    assert [name for name, switch in KOMMO.items() if switch.section not in kommo] == []
    told = {name: re.findall(SECTION, switch.about.partition(":")[0]) for name, switch in STRIPE.items()}
    assert [name for name, sections in told.items() if not sections or not stripe.issuperset(sections)] == []
