"""What a newcomer looks for first is there, and in the form that they know."""

import re
import shutil
import subprocess

import pytest

from tests.docs.text import ROOT, read

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _git(*words: str) -> str:
    """What git answers; empty where there is no git, or no such thing in this clone."""
    if not shutil.which("git"):
        return ""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["LICENSE", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ".editorconfig"])
def test_the_file_is_there(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip()


def test_the_changelog_keeps_the_known_form() -> None:
    headings = re.findall(r"^## (.+)$", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])
    assert set(re.findall(r"^### (.+)$", read(ROOT / "CHANGELOG.md"), re.MULTILINE)) <= KINDS


def test_the_first_release_repairs_nothing_that_was_never_released() -> None:
    first = read(ROOT / "CHANGELOG.md").partition("## [0.1.0]")[2]
    assert set(re.findall(r"^### (.+)$", first, re.MULTILINE)) == {"Added"}


def test_the_newest_release_is_the_version_of_the_package() -> None:
    newest = re.findall(r"^## \[(\d[\d.]+)\]", read(ROOT / "CHANGELOG.md"), re.MULTILINE)[0]
    assert f'version = "{newest}"' in read(ROOT / "pyproject.toml")


def test_the_hosted_ci_runs_what_the_readme_tells() -> None:
    steps = read(ROOT / ".github/workflows/ci.yml")
    test, image = steps.split("\n  image:\n")
    assert re.findall(r"- run: (.+)", test) == [".ci/run"]
    assert re.findall(r"- run: (docker \w+)", image)[:1] == ["docker build"]


def test_blame_passes_over_the_commits_that_the_file_names() -> None:
    named = re.findall(r"^# (.+)\n([0-9a-f]{40})$", read(ROOT / ".git-blame-ignore-revs"), re.MULTILINE)
    assert len(named) >= 2
    subjects = [_git("log", "-1", "--format=%s", commit) for _, commit in named]
    if not any(subjects):
        pytest.skip("not a clone with the whole history")
    assert subjects == [subject for subject, _ in named]
