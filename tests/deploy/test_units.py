"""systemd's own judgement of the units that `init --systemd` writes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.cli.units import units
from tests.cli.processes import run

ANALYZE = shutil.which("systemd-analyze")
EXPOSED_AT_MOST = 2.0
"""Of 10; systemd calls this *OK*."""
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")


@pytest.fixture
def written(tmp_path: Path) -> list[Path]:
    done = run(tmp_path, "init", "--systemd", "--public-url", "https://pay.example.com")
    assert done.returncode == 0, done.stderr
    return sorted(tmp_path.glob("*.service"))


def test_init_writes_a_unit_for_web_and_one_for_the_worker(written: list[Path]) -> None:
    starts = [re.findall(r"^ExecStart=(.*)$", path.read_text(), re.MULTILINE) for path in written]
    program = f"{sys.prefix}/bin/kommo-stripe"
    assert starts == [[f"{program} serve --no-worker"], [f"{program} worker"]]


def test_init_adds_units_to_a_folder_that_has_its_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEYS=of great value\n")
    done = run(tmp_path, "init", "--systemd", "--public-url", "https://pay.example.com")
    assert (done.returncode, (tmp_path / ".env").read_text()) == (0, "SECRET_KEYS=of great value\n")
    assert len(list(tmp_path.glob("*.service"))) == 2


@needs_systemd
def test_systemd_takes_the_units_and_finds_little_exposed(tmp_path: Path) -> None:
    for name, text in units(Path("/bin/true")).items():  # verify looks for the program
        (tmp_path / name).write_text(text)
        checked = analyze("verify", str(tmp_path / name))
        assert [line for line in checked.stderr.splitlines() if name in line] == []
        judged = analyze("security", "--offline=yes", "--no-pager", str(tmp_path / name))
        (exposed,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", judged.stdout)
        assert float(exposed) <= EXPOSED_AT_MOST, judged.stdout


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ANALYZE), *words], capture_output=True, text=True, check=False, timeout=60)
