"""A browser is found, or got, in the order that disturbs a machine least."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tools.bootstrap.made_up import PYTHON, Shell, having
from tools.bootstrap.browser import ready_browser
from tools.bootstrap.machine import CannotSetUp, Machine


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[str], str | None]]:
    """``which`` of a machine that has these browsers, besides apt."""
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)

    def which(*browsers: str) -> Callable[[str], str | None]:
        for name in browsers:
            (tmp_path / name).touch()
        return lambda name: str(tmp_path / name) if name in browsers else having("apt-get")(name)

    return which


def test_chromium_comes_before_its_relatives(machine: Machine, shell: Shell, places: Any) -> None:
    shell.works = ["--version"]
    rich = replace(machine, which=places("google-chrome", "chromium"))
    assert ready_browser(rich, Path(PYTHON)) == str(machine.folder / "chromium")


def test_a_browser_that_does_not_start_is_passed_over(machine: Machine, shell: Shell, places: Any) -> None:
    shell.works = ["google-chrome --version"]
    rich = replace(machine, which=places("google-chrome", "chromium"))
    assert ready_browser(rich, Path(PYTHON)) == str(machine.folder / "google-chrome")


def test_a_browser_that_was_named_comes_first(
    machine: Machine, shell: Shell, places: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.works = ["--version"]
    rich = replace(machine, which=places("chromium", "mine"))
    monkeypatch.setenv("CHROMIUM_PATH", str(machine.folder / "mine"))
    assert ready_browser(rich, Path(PYTHON)) == str(machine.folder / "mine")


def test_a_browser_that_was_named_and_does_not_start_is_told(
    machine: Machine, places: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM_PATH", "/nowhere/chromium")
    with pytest.raises(CannotSetUp, match="CHROMIUM_PATH names /nowhere/chromium"):
        ready_browser(machine, Path(PYTHON))


def tried(shell: Shell) -> list[str]:
    """Which of the ways to get a browser were tried, in order."""
    ways = {"apt-get -qq install": "apt", "install --only-shell": "Playwright", "-s install": "unpacking"}
    found = [name for line in shell.heard for part, name in ways.items() if part in line and "--dry-run" not in line]
    return list(dict.fromkeys(found))


def test_debian_asks_apt_then_playwright_then_unpacks(machine: Machine, shell: Shell, places: Any) -> None:
    places()
    shell.works = ["-qq update"]
    with pytest.raises(CannotSetUp, match="need Chromium"):
        ready_browser(machine, Path(PYTHON))
    assert tried(shell) == ["apt", "Playwright", "unpacking"]


def test_ubuntu_asks_playwright_alone(machine: Machine, shell: Shell, places: Any) -> None:
    places()
    with pytest.raises(CannotSetUp, match="need Chromium"):
        ready_browser(replace(machine, distribution="ubuntu"), Path(PYTHON))
    assert tried(shell) == ["Playwright"]


def test_a_downloaded_browser_gets_the_libraries_that_it_lacks(machine: Machine, shell: Shell, places: Any) -> None:
    places()
    browser = machine.folder / "cache/chromium_headless_shell-1/chrome-headless-shell"
    browser.parent.mkdir(parents=True)
    browser.touch()
    (machine.private / "root").mkdir(parents=True)
    (machine.private / "root/libatomic.so.1").touch()
    shell.works = ["install --only-shell", "apt-get -qq install"]
    shell.tells = {
        "install --dry-run": f"Chrome\n  Install location:    {browser.parent}\n",
        "install-deps --dry-run": "Missing system dependencies (2):\n  libnss3\n  libgbm1\n",
    }
    shell.effects = {"libnss3 libgbm1": lambda: setattr(shell, "works", ["--version"])}
    ubuntu = replace(machine, distribution="ubuntu", system="linux")
    assert ready_browser(ubuntu, Path(PYTHON)) == str(browser)
