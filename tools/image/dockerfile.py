"""A Dockerfile, read as far as ours goes: stages, and of each its instructions in order."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """``RUN`` and what follows it, in one line."""

    name: str
    words: str

    def filled(self, values: Mapping[str, str]) -> str:
        """The words with ``$NAME`` and ``${NAME}`` filled in where the name is known."""
        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values.get(found[1] or found[2], found[0]), self.words)

    @property
    def exec_form(self) -> list[str]:
        """``["kommo-stripe"]`` as a list."""
        words: list[str] = json.loads(self.words[self.words.index("[") :])
        return words


@dataclass
class Stage:
    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def of(self, name: str) -> list[Instruction]:
        return [one for one in self.instructions if one.name == name]


@dataclass
class Dockerfile:
    arguments: dict[str, str]
    """Those before the first stage."""
    stages: list[Stage]


def read_dockerfile(path: Path) -> Dockerfile:
    read = Dockerfile({}, [])
    for instruction in _instructions(path.read_text(encoding="utf-8")):
        if instruction.name == "FROM":
            base, _, name = instruction.words.partition(" AS ")
            read.stages.append(Stage(base, name))
        elif read.stages:
            read.stages[-1].instructions.append(instruction)
        else:
            read.arguments |= pairs(instruction.words)
    return read


def pairs(words: str) -> dict[str, str]:
    """``A=1 B="two words" C=`` as a mapping."""
    found = re.findall(r'([\w.]+)=("(?:[^"\\]|\\.)*"|\S*)', words)
    return {name: value.strip('"') for name, value in found}


def _instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in whole.splitlines()]
