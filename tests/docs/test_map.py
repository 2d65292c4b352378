"""The map in the README is the house: every room is on it, and what a document names by its path is there."""

import re
from pathlib import Path

from tests.docs.text import FOLDERS, ROOT, files, read
from tests.test_layers import FLOOR

README = read(ROOT / "README.md")
HIDDEN = (".", "_")
GENERATED = {"dist", "build", "test-results"}
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`")


def _mapped() -> set[str]:
    table = README.partition("| room | what is in it |")[2].partition("\n\n")[0]
    return {
        path for row in table.splitlines() for path in re.findall(r"`([^`]+)`", row.split("|")[1:2][0] if row else "")
    }


def _folders(parent: Path) -> set[str]:
    shown = (path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(HIDDEN))
    return {f"{path.relative_to(ROOT)}/" for path in shown if path.name not in GENERATED}


def _modules(parent: Path) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in parent.glob("*.py") if not path.name.startswith("_")}


def test_the_map_of_the_readme_names_each_room_and_no_other() -> None:
    rooms = {path for path in _mapped() if path.startswith("backend/")}
    assert rooms == _folders(ROOT / "backend") | _modules(ROOT / "backend")


def test_the_map_of_the_readme_names_each_folder_at_the_top() -> None:
    top = {path for path in _mapped() if path.count("/") == 1 and path.endswith("/")}
    assert top | {"backend/"} == _folders(ROOT)


def test_the_map_is_in_the_order_in_which_imports_go_down() -> None:
    order = re.findall(r"`backend/(\w+)(?:/|\.py)", README.partition("| room |")[2])
    floors = [FLOOR[room] for room in order if room != "facts"]
    assert floors == sorted(floors)


def test_the_design_names_each_room() -> None:
    rooms = read(ROOT / "docs/design.md").partition("\n## 3.")[2].partition("\n## ")[0]
    names = {re.sub(r"^backend/", "", path) for path in _folders(ROOT / "backend") | _modules(ROOT / "backend")}
    assert {name for name in names if f"`{name}`" not in rooms} == set()


def test_every_path_that_a_document_or_source_names_exists() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    sources = [source for source in files(".py", ".js") if not source.is_relative_to(ROOT / "tests/docs")]
    named = {(source.name, path) for source in (*documents, *sources) for path in PATH.findall(read(source))}
    assert len(named) > 100
    assert sorted(pair for pair in named if not (ROOT / pair[1]).exists()) == []


def test_every_link_of_a_document_leads_to_a_file() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        (document.name, target)
        for document in documents
        for target in re.findall(r"\]\((?!https?://)([^)#\s]+)", read(document))
        if not (document.parent / target).exists()
    ]
    assert broken == []
