"""A bare machine, and the programs on it."""

import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PYTHON = ".venv/bin/python"
Done = subprocess.CompletedProcess[str]


@dataclass
class Shell:
    """Plays the machine's programs: a command that contains one of ``works`` goes well; ``tells`` has what they say."""

    works: Iterable[str] = ()
    tells: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    effects: dict[str, Callable[[], object]] = field(default_factory=dict)

    def run(self, *command: object, **_how: Any) -> Done:
        line = " ".join(map(str, command))
        self.heard.append(line)
        well = any(part in line for part in self.works)
        for part, effect in self.effects.items():
            if well and part in line:
                effect()
        told = "".join(text for part, text in self.tells.items() if part in line)
        return subprocess.CompletedProcess([], 0 if well else 1, stdout=told, stderr="")

    def heard_of(self, part: str) -> list[str]:
        return [line for line in self.heard if part in line]


def make_python(folder: Path) -> None:
    (folder / PYTHON).parent.mkdir(parents=True)
    (folder / PYTHON).touch()


def having(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in programs else None


def work_of(shell: Shell) -> list[str]:
    """What was done to the environment since the last look."""
    done = ["made" if " -m venv" in line else re.sub(r".*/", "", line) for line in shell.heard]
    shell.heard.clear()
    return done
