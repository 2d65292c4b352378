"""The build stage's steps in an empty folder: the image's paths stand below it, its commands are run as they are."""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tools.image.context import copy_context
from tools.image.dockerfile import Dockerfile, Instruction, Stage, pairs, read_dockerfile
from tools.image.substitutes import Lacking, by_uv_instead, lent_pip, missing_packages

OF_THE_IMAGE = re.compile(r"(?<![\w.-])/(src|build|wheels|opt/kommo-stripe|data)\b")
BUILD_SECONDS = 600.0
OF_THE_MACHINE = ("PIP_", "UV_", "SSL_", "LD_LIBRARY", "REQUESTS_CA_", "CURL_CA_", "XDG_", "HTTP_PROXY", "HTTPS_PROXY",
                  "ALL_PROXY", "NO_PROXY")  # fmt: skip
"""How the names of the variables begin that tell where the machine's packages come from."""


class StepFailed(Exception):
    """A step of the Dockerfile does not work; its own words."""


@dataclass
class Built:
    """What the steps made below ``root``."""

    root: Path
    dockerfile: Dockerfile
    ran: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    confined: bool | None = None
    """Whether its commands run as the image's user, read-only; None: not tried yet."""

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


def build(checkout: Path, root: Path, seconds: float = BUILD_SECONDS, **given: str) -> Built:
    """Run the steps of all stages but those that only a system can take; ``given`` are build arguments.

    Raises ``StepFailed`` where a step is wrong, ``Lacking`` where this machine has no packages for it or not the time.
    """
    built = Built(root, read_dockerfile(checkout / "Dockerfile"))
    context = root / "context"
    context.mkdir(parents=True)
    copy_context(checkout, context)
    for stage in built.dockerfile.stages[:-1]:
        _Steps(built, context, built.dockerfile.arguments | given, time.monotonic() + seconds).run(stage)
    built.not_run += [f"RUN {one.words}" for one in built.last.of("RUN")]
    built.data.mkdir(mode=0o700)
    shutil.rmtree(context)
    return built


class _Steps:
    def __init__(self, built: Built, context: Path, values: dict[str, str], until: float) -> None:
        self._built, self._context, self._values, self._until = built, context, values, until
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
        words = self._built.local(one.words)
        wanted = lent_pip(words, has_ensurepip=find_spec("ensurepip") is not None)
        done = self._done(wanted)
        lacking = missing_packages(done)
        if lacking and (by_uv := by_uv_instead(wanted)):
            wanted, done = by_uv, self._done(by_uv)
            lacking = missing_packages(done)
        if lacking:
            raise Lacking(f"packages: {lacking}")
        if done.returncode:
            raise StepFailed(f"RUN {one.words}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        self._built.ran.append(f"RUN {one.words}{'' if wanted == words else '  (by means of this machine)'}")

    def _done(self, command: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["/bin/sh", "-e", "-c", command],
                cwd=self._folder, env=self._values | _environment(), capture_output=True, text=True, check=False,
                timeout=max(1.0, self._until - time.monotonic()),
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Lacking(f"the time: {command[:60]}… did not end in time") from error


def _environment() -> dict[str, str]:
    """``python`` is the one that runs this; of the machine only what its packages need."""
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(OF_THE_MACHINE)}
    patience = {"PIP_RETRIES": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return patience | kept | {"PATH": path, "HOME": os.environ.get("HOME", "/tmp")}  # noqa: S108
