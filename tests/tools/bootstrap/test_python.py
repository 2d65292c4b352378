"""An old Python is told that it is too old."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.bootstrap.made_up import ROOT, having
from tools.bootstrap.machine import CannotSetUp
from tools.bootstrap.python import newer_python

BEFORE_THE_ENVIRONMENT = [ROOT / "run.py", ROOT / "tools/__init__.py", *sorted((ROOT / "tools/bootstrap").glob("*.py"))]
"""What runs before there is a `.venv`."""


def test_an_old_python_is_told_what_is_needed() -> None:
    with pytest.raises(CannotSetUp, match=r"Python 3\.11 or newer is needed; this is 3\.9"):
        newer_python((3, 9), having())


def test_an_old_python_hands_over_to_the_newest_one_there_is() -> None:
    assert newer_python((3, 9), having("python3.11", "python3.13")) == "/usr/bin/python3.13"
    assert newer_python((3, 11), having("python3.13")) is None


@pytest.mark.parametrize("source", BEFORE_THE_ENVIRONMENT, ids=lambda path: path.name)
def test_an_old_python_can_read_the_program(source: Path) -> None:
    ast.parse(source.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("source", BEFORE_THE_ENVIRONMENT, ids=lambda path: path.name)
def test_nothing_is_imported_that_a_bare_python_lacks(source: Path) -> None:
    named = {name for node in ast.walk(ast.parse(source.read_text())) for name in _imported(node)}
    theirs = {name.partition(".")[0] for name in named if not name.startswith("tools.bootstrap.")}
    assert theirs <= sys.stdlib_module_names


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_the_program_starts_from_another_folder_without_any_package(tmp_path: Path) -> None:
    command = [sys.executable, "-S", str(ROOT / "run.py"), "--help"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "python3 run.py story" in told.stdout
