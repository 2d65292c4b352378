"""What the image holds, without a container engine: the wheel alone, and the Dockerfile's steps."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.stage import set_stage
from sandbox.story import Storyteller, play
from tests.cli.processes import GOOD, ROOT, run
from tools.image.__main__ import main
from tools.image.build import Built, StepFailed, build
from tools.image.dockerfile import read_dockerfile
from tools.image.proof import Proof
from tools.image.substitutes import Lacking, lent_pip


def test_the_wheels_files_alone_run_the_commands(tmp_path: Path) -> None:
    """A sample of what the long test does with the wheel itself: the same files, laid out without building it."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    installed, folder = tmp_path / "installed", tmp_path / "empty"
    folder.mkdir()
    leave_out = shutil.ignore_patterns("__pycache__")
    for name in wheel["packages"]:
        shutil.copytree(ROOT / name, installed / name, ignore=leave_out)
    for source, target in wheel["force-include"].items():
        (installed / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy2
        copy(ROOT / source, installed / target)
    alone = {"PYTHONPATH": str(installed), "PUBLIC_URL": "http://127.0.0.1:9"}
    for words in (["init", "--systemd", "--public-url", "http://127.0.0.1:9"], ["migrate"], ["worker", "--once"]):
        done = run(folder, *words, **(alone | (GOOD if words != ["init"] else {})))
        assert done.returncode == 0, done.stderr
    assert (folder / "widget.zip").exists()


def test_a_dockerfile_is_read_instruction_by_instruction(tmp_path: Path) -> None:
    written = '# words\nARG A=1\nFROM base AS build\nRUN one \\\n  && two\nFROM other\nCMD ["a", "b"]\nCOPY ${A} $B x\n'
    (tmp_path / "Dockerfile").write_text(written)
    read = read_dockerfile(tmp_path / "Dockerfile")
    first, last = read.stages
    assert (read.arguments, first.name, [one.words for one in first.instructions]) == (
        {"A": "1"},
        "build",
        ["one && two"],
    )
    assert last.of("CMD")[0].exec_form == ["a", "b"]
    assert last.of("COPY")[0].filled({"A": "1"}) == "1 $B x"


def _checkout(folder: Path, *steps: str) -> Path:
    """A checkout whose image has these steps."""
    folder.mkdir()
    (folder / ".dockerignore").write_text("*\n")
    (folder / "Dockerfile").write_text("\n".join(["FROM a AS build", "WORKDIR /src", *steps, "FROM a", "USER 1:1"]))
    return folder


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: No matching distribution found for hatchling==1.33.0",
        "WARNING: Retrying: Failed to establish a new connection: [Errno 111] Connection refused",
        "OSError: [Errno 28] No space left on device",
    ],
)
def test_packages_that_the_machine_can_not_get_are_lacking_and_no_fault(said: str, tmp_path: Path) -> None:
    checkout = _checkout(tmp_path / "checkout", f"RUN echo '{said}' >&2 && exit 1")
    with pytest.raises(Lacking, match=re.escape(said.split(": ")[-1])):
        build(checkout, tmp_path / "root")


def test_what_does_not_end_in_time_is_lacking_time(tmp_path: Path) -> None:
    with pytest.raises(Lacking, match="time"):
        build(_checkout(tmp_path / "checkout", "RUN sleep 30"), tmp_path / "root", seconds=0.0)


@pytest.mark.parametrize("said", ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "error: package directory missing"])
def test_a_step_that_is_wrong_is_a_fault_on_every_machine(said: str, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=said):
        build(_checkout(tmp_path / "checkout", f"RUN echo '{said}' && exit 1"), tmp_path / "root")


def test_uv_takes_pips_place_where_only_uv_reaches_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@" >> "$(dirname "$0")/asked"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    lacking = "sh -c 'echo No matching distribution found for x; exit 1'"
    (tmp_path / "pip").write_text(f"#!/bin/sh\n{lacking}\n")
    (tmp_path / "pip").chmod(0o755)
    step = f"RUN {tmp_path}/pip --python /build/bin/python install --no-cache-dir --require-hashes -r x.lock"
    built = build(_checkout(tmp_path / "checkout", step), tmp_path / "root")
    python = tmp_path / "root/build/bin/python"
    assert (tmp_path / "asked").read_text() == f"pip install --python {python} --require-hashes -r x.lock\n"
    assert built.ran == [f"{step}  (by means of this machine)"]


def test_where_python_has_no_pip_for_an_environment_ours_is_lent(tmp_path: Path) -> None:
    words = f"{sys.executable} -m venv {tmp_path}/e && {tmp_path}/e/bin/pip --version"
    assert lent_pip(words, has_ensurepip=True) == words
    command = lent_pip(words, has_ensurepip=False)
    said = subprocess.run(["/bin/sh", "-e", "-c", command], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path / "e") in said


@pytest.mark.parametrize(("said", "code"), [("No matching distribution found for x", 0), ("error: bad", 1)])
def test_in_ci_only_what_ran_can_fail(said: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkout = _checkout(tmp_path / "checkout", f"RUN echo '{said}' && exit 1")
    assert main(["--if-possible"], checkout) == code
    assert said in capsys.readouterr().out
    assert main([], checkout) == 1


@pytest.mark.full
def test_a_machine_without_an_index_is_told_in_one_line_what_it_lacks(tmp_path: Path) -> None:
    nowhere = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PIP_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_NO_CACHE": "1",
    }
    words = [sys.executable, "-m", "tools.image", "--if-possible"]
    done = subprocess.run(words, cwd=ROOT, env=nowhere, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    line = r"the image's steps were not run, since this machine lacks packages: [^\n]*\n"
    assert re.fullmatch(line, done.stdout), done.stdout


@pytest.fixture(scope="module")
def built() -> Iterator[Built]:
    root = Path(tempfile.mkdtemp(prefix="image-"))
    root.chmod(0o755)
    try:
        yield build(ROOT, root)
    finally:
        shutil.rmtree(root)


@pytest.mark.full
def test_the_dockerfiles_steps_make_a_product_that_runs_every_command(built: Built) -> None:
    said = Proof(built).all()
    print(*said, sep="\n")
    assert "✓ no secret in the log of `serve`" in said


@pytest.mark.full
async def test_the_image_pays_a_deal_in_the_local_kommo(built: Built) -> None:
    async with set_stage() as stage, httpx.AsyncClient(timeout=10.0) as http:
        running = Proof(built, int(stage.backend_url.rpartition(":")[2])).running("serve", **stage.settings)
        await asyncio.to_thread(running.__enter__)
        try:
            await play(Storyteller(stage, http))
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
