"""Imports only go down, and never in a circle: read from the sources, lazy imports and imports for types included."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

BACKEND = Path(__file__).parent.parent / "backend"

LAYERS = {
    "doors": "__main__ cli web worker processes sandbox",
    "work": "links ledger card writer accounts inbox ingest leases wakeups presence pulse rate resealing "
    "resources turn widget_archive",
    "outside": "kommo_api stripe_api",
    "storage": "models db migrations",
    "leaves": "errors languages money signing vault clock config facts logs metrics retries",
}
"""Where each top-level module of ``backend`` stands."""

MAY_IMPORT = {
    "doors": "doors work outside storage leaves",
    "work": "work outside storage leaves",
    "outside": "outside leaves",
    "storage": "storage leaves",
    "leaves": "leaves",
}
"""Within a layer they may use each other, but not in a circle (and the two outsides, not at all: see below)."""

LAYER = {module: layer for layer, modules in LAYERS.items() for module in modules.split()}


@dataclass(frozen=True)
class Import:
    """One import of a module of ours in another; both with their full names, ``line`` as a person finds it."""

    importer: str
    imported: str
    line: str
    lazy: bool

    @property
    def tops(self) -> tuple[str, str]:
        return top(self.importer), top(self.imported)


def top(module: str) -> str:
    return module.split(".")[1]


@cache
def modules() -> dict[str, Path]:
    """``backend.ledger.deal`` → its file; a package goes by its own name."""
    files = (path for path in BACKEND.rglob("*.py") if path != BACKEND / "__init__.py")
    return {
        ".".join(path.relative_to(BACKEND.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in files
    }


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for module, path in modules().items() for found in imports_of(module, path))


def imports_of(module: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(node) for function in ast.walk(tree) if is_function(function) for node in ast.walk(function)}
    for node in ast.walk(tree):
        for name in names_imported(node):
            line = f"{path.relative_to(BACKEND.parent)}:{getattr(node, 'lineno', 0)}"
            yield Import(module, name, line, lazy=id(node) in inside)


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def names_imported(node: ast.AST) -> Iterator[str]:
    """Modules of ours that the statement names: of ``from package import name`` the module, where it is one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.startswith("backend."))
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are written in full: from backend.…"
        package = node.module or ""
        for alias in node.names:
            longer = f"{package}.{alias.name}"
            if longer in modules() or package.startswith("backend."):
                yield longer if longer in modules() else package


def test_every_module_has_a_place() -> None:
    homeless = sorted({top(module) for module in modules()} - LAYER.keys())
    assert not homeless, f"Say in LAYERS, in tests/test_layers.py, in which layer these belong: {', '.join(homeless)}"


def test_the_table_names_only_modules_that_exist() -> None:
    assert LAYER.keys() - {top(module) for module in modules()} == set()


def test_imports_only_go_down() -> None:
    upwards = [
        f"{found.line}: {LAYER[importer]} may not import {LAYER[imported]} ({found.imported})"
        for found in imports()
        for importer, imported in [found.tops]
        if {importer, imported} <= LAYER.keys() and LAYER[imported] not in MAY_IMPORT[LAYER[importer]].split()
    ]
    assert upwards == []


def test_kommo_and_stripe_do_not_know_each_other() -> None:
    outside = set(LAYERS["outside"].split())
    assert [found.line for found in imports() if len(set(found.tops)) == 2 and set(found.tops) <= outside] == []


def test_the_sandbox_is_known_to_itself_and_to_its_own_commands_only() -> None:
    known = [found for found in imports() if found.tops[1] == "sandbox" and found.tops[0] != "sandbox"]
    assert [found.line for found in known if found.tops[0] != "cli" or not found.lazy] == []


@pytest.mark.parametrize("level", ["top-level modules", "files"])
def test_no_imports_go_in_a_circle(level: str) -> None:
    graph: dict[str, set[str]] = {}
    for found in imports():
        importer, imported = (found.importer, found.imported) if level == "files" else found.tops
        if importer != imported:
            graph.setdefault(importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))
