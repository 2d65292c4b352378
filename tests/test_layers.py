"""Imports only go down, and never in a circle: read from the sources, lazy imports and imports for types included."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("backend", "sandbox")

FLOORS = (
    "__main__",
    "cli",
    "server",
    "web worker",
    "admin",
    "automation",
    "payments deal_sync",
    "inbox",
    "accounts",
    "resources",
    "ledger",
    "rate_limit work_queue widget_archive",
    "kommo_api stripe_api",
    "storage facts",
    "core",
)
"""The rooms of ``backend``, from the top floor down: each may import those of the floors below, not its neighbours."""

FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}
MOST_FILES = 16
SERIES = ("backend/storage/migrations/versions",)
"""Folders of files with numbers, of which each release adds some and none may go."""
MOST_ENTRIES = 22

PURE = ("backend.ledger", "backend.deal_sync.desired")
"""What these decide, they decide in values: no database, no HTTP."""
READS_THE_DATABASE = tuple(f"backend.ledger.{name}" for name in ("absorb", "load", "merged_deals", "missing_deals"))
EFFECTS = (
    "backend.storage",
    "backend.kommo_api.client",
    "backend.stripe_api.client",
    "sqlmodel",
    "sqlalchemy",
    "httpx",
)


@dataclass(frozen=True)
class Import:
    """One import in a module of ours; both with their full names, ``line`` as a person finds it."""

    importer: str
    imported: str
    line: str
    lazy: bool

    def is_within(self, package: str) -> bool:
        return self.importer.startswith(f"{package}.") and self.imported.startswith(f"{package}.")


def part(module: str, depth: int) -> str:
    """Of ``backend.web.client.links`` the name at ``depth``: 1 is ``web``."""
    return module.split(".")[depth]


@cache
def modules() -> dict[str, Path]:
    """``backend.ledger.deal`` → its file; a package goes by its own name."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


@cache
def imports() -> tuple[Import, ...]:
    """Of our own modules, and of libraries by the names that the statements give."""
    return tuple(found for module, path in modules().items() for found in imports_of(module, path))


def imports_of(module: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(node) for function in ast.walk(tree) if is_function(function) for node in ast.walk(function)}
    for node in ast.walk(tree):
        for name in names_imported(node):
            line = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            yield Import(module, name, line, lazy=id(node) in inside)


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def names_imported(node: ast.AST) -> Iterator[str]:
    """The modules that the statement names: of ``from package import name`` the module, where it is one of ours."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are written in full: from backend.…"
        package = node.module or ""
        for alias in node.names:
            longer = f"{package}.{alias.name}"
            yield longer if longer in modules() else package


def packages() -> list[str]:
    return sorted({module.rsplit(".", 1)[0] for module in modules() if "." in module})


def test_every_room_has_a_floor() -> None:
    rooms = {part(module, 1) for module in modules() if module.startswith("backend.")}
    assert rooms - FLOOR.keys() == set(), "Say in FLOORS, in tests/test_layers.py, on which floor these belong."
    assert FLOOR.keys() - rooms == set(), "FLOORS names rooms that do not exist."


def test_imports_only_go_down() -> None:
    upwards = [
        f"{found.line}: {part(found.importer, 1)} may not import {found.imported}"
        for found in imports()
        if found.is_within("backend")
        and part(found.importer, 1) != part(found.imported, 1)
        and FLOOR[part(found.importer, 1)] >= FLOOR[part(found.imported, 1)]
    ]
    assert upwards == []


def test_the_sandbox_is_known_to_itself_and_to_the_command_line_only() -> None:
    known = [
        found for found in imports() if part(found.imported, 0) == "sandbox" and part(found.importer, 0) != "sandbox"
    ]
    assert [found.line for found in known if not found.importer.startswith("backend.cli.") or not found.lazy] == []


@pytest.mark.parametrize("world", ["kommo", "stripe"])
def test_a_local_world_knows_nothing_of_the_product_that_it_is_to_try(world: str) -> None:
    """Each is written by the facts alone, so that the two check each other; leaves like the clock are shared."""
    known = [
        found
        for found in imports()
        if found.importer.startswith(f"sandbox.{world}") and part(found.imported, 0) == "backend"
    ]
    assert [found.line for found in known if not found.imported.startswith("backend.core.")] == []


def test_what_decides_in_values_reads_no_database() -> None:
    known = [found for found in imports() if found.importer.startswith(PURE)]
    mixed = [found for found in known if found.importer not in READS_THE_DATABASE]
    assert [found.line for found in mixed if found.imported.startswith(EFFECTS)] == []


@pytest.mark.parametrize("package", packages())
def test_no_imports_go_in_a_circle(package: str) -> None:
    """Neither between the files of a room, nor between the rooms beside each other, at any depth."""
    depth = package.count(".") + 1
    graph: dict[str, set[str]] = {}
    for found in imports():
        if found.is_within(package):
            importer, imported = part(found.importer, depth), part(found.imported, depth)
            if importer != imported:
                graph.setdefault(importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_room_is_crowded() -> None:
    assert len([path for path in (ROOT / "backend").iterdir() if path.name != "__pycache__"]) <= MOST_ENTRIES
    folders = {
        path.parent
        for package in (*PACKAGES, "tests", "widget", "tools", "bench")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    folders -= {ROOT / "backend/storage/migrations/versions"}  # one more with each change of the tables
    sizes = {folder: sum(path.is_file() for path in folder.iterdir()) for folder in folders}
    names = {str(folder.relative_to(ROOT)): size for folder, size in sizes.items()}
    assert [name for name, size in names.items() if size > MOST_FILES and name not in SERIES] == []
