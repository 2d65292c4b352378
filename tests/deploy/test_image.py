"""What the image holds, without a container engine: the wheel alone, and the Dockerfile's steps."""

import asyncio
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.stage import set_stage
from sandbox.story import Storyteller, play
from tests.cli.processes import GOOD, ROOT, run
from tools.image.build import Built, build
from tools.image.dockerfile import read_dockerfile
from tools.image.proof import Proof


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
    assert "✓ no secret in the log" in said


@pytest.mark.full
async def test_the_image_pays_a_deal_in_the_local_kommo(built: Built) -> None:
    async with set_stage() as stage, httpx.AsyncClient(timeout=10.0) as http:
        running = Proof(built, int(stage.backend_url.rpartition(":")[2])).running("serve", **stage.settings)
        await asyncio.to_thread(running.__enter__)
        try:
            await play(Storyteller(stage, http))
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
