"""The build stage's steps in an empty folder: the image's paths stand below it, its commands are run as they are."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tools.image.context import copy_context
from tools.image.dockerfile import Dockerfile, Instruction, Stage, pairs, read_dockerfile

OF_THE_IMAGE = re.compile(r"(?<![\w.-])/(src|build|wheels|opt/kommo-stripe|data)\b")
BUILD_SECONDS = 600.0


class StepFailed(Exception):
    """A step of the Dockerfile does not work; its own words."""


@dataclass
class Built:
    """What the steps made below ``root``."""

    root: Path
    dockerfile: Dockerfile
    ran: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    @property
    def product(self) -> Path:
        return self.root / "opt/kommo-stripe"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def wheel(self) -> Path:
        (found,) = (self.root / "wheels").glob("*.whl")
        return found

    @property
    def last(self) -> Stage:
        return self.dockerfile.stages[-1]

    def local(self, words: str) -> str:
        """The image's paths as paths of this machine."""
        return OF_THE_IMAGE.sub(lambda found: f"{self.root}/{found[1]}", words)


def build(checkout: Path, root: Path, **given: str) -> Built:
    """Run the steps of all stages but those that only a system can take; ``given`` are build arguments."""
    built = Built(root, read_dockerfile(checkout / "Dockerfile"))
    context = root / "context"
    context.mkdir(parents=True)
    copy_context(checkout, context)
    for stage in built.dockerfile.stages[:-1]:
        _Steps(built, context, built.dockerfile.arguments | given).run(stage)
    built.not_run += [f"RUN {one.words}" for one in built.last.of("RUN")]
    built.data.mkdir(mode=0o700)
    shutil.rmtree(context)
    return built


class _Steps:
    def __init__(self, built: Built, context: Path, values: dict[str, str]) -> None:
        self._built, self._context, self._values = built, context, values
        self._folder = built.root

    def run(self, stage: Stage) -> None:
        for one in stage.instructions:
            {"WORKDIR": self._workdir, "COPY": self._copy, "ARG": self._arg, "RUN": self._run}[one.name](one)

    def _workdir(self, one: Instruction) -> None:
        self._folder = Path(self._built.local(one.words))
        self._folder.mkdir(parents=True)

    def _arg(self, one: Instruction) -> None:
        self._values = pairs(one.words) | self._values

    def _copy(self, one: Instruction) -> None:
        *sources, target = one.filled(self._values).split()
        for source in sources:
            if (self._context / source).is_dir():
                shutil.copytree(self._context / source, self._folder / target)
            else:
                shutil.copy2(self._context / source, self._folder / target)

    def _run(self, one: Instruction) -> None:
        command = self._built.local(one.words)
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", command],
            cwd=self._folder, env=self._values | _environment(), capture_output=True, text=True, check=False,
            timeout=BUILD_SECONDS,
        )  # fmt: skip
        if done.returncode:
            raise StepFailed(f"RUN {one.words}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        self._built.ran.append(f"RUN {one.words}")


def _environment() -> dict[str, str]:
    """``python`` is the one that runs this; of the machine only what a package index needs."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LD_LIBRARY"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/tmp")}  # noqa: S108
