"""A Chromium that starts, from wherever this machine can have one."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

from tools.bootstrap.apt import apt_install, unpack, use_unpacked
from tools.bootstrap.machine import CannotSetUp, Machine, alone, say

BROWSERS = ("chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable", "microsoft-edge")
MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
DEBIAN_BROWSER = ("chromium-headless-shell", "fonts-dejavu-core")


def ready_browser(machine: Machine, python: Path) -> str:
    """The path of a Chromium that starts."""
    use_unpacked(machine)
    demanded = os.environ.get("CHROMIUM_PATH")
    if demanded and not starts(machine, demanded):
        raise CannotSetUp(f"CHROMIUM_PATH names {demanded}, which does not start.")
    with alone(machine):
        give_playwright_its_library(machine)
        found = demanded or browser_here(machine) or playwrights_browser(machine, python)
        return found or get_browser(machine, python)


def get_browser(machine: Machine, python: Path) -> str:
    # Ubuntu's package of this name only leads to a snap, which neither containers nor Playwright can start.
    debian = machine.distribution == "debian"
    found = browser_here(machine) if debian and apt_install(machine, *DEBIAN_BROWSER) else None
    found = found or download_browser(machine, python)
    if not found and debian and unpack(machine, *DEBIAN_BROWSER):
        use_unpacked(machine)
        found = browser_here(machine)
    if not found:
        raise CannotSetUp("The browser tests need Chromium: install it, or set CHROMIUM_PATH to where it is.")
    return found


def download_browser(machine: Machine, python: Path) -> str | None:
    """Playwright's own, with the libraries that it turns out to lack."""
    say("no Chromium here: asking Playwright for one")
    answer = machine.run(python, "-m", "playwright", "install", "--only-shell", "chromium", quiet=True)
    if answer.returncode != 0:
        reasons = re.findall(r"^Error: .*", answer.stderr, re.MULTILINE)
        say(f"Playwright could not get one. {reasons[0] if reasons else ''}")
        return None
    found = playwrights_browser(machine, python)
    if not found and machine.system == "linux":
        told = machine.run(python, "-m", "playwright", "install-deps", "--dry-run", "chromium", quiet=True).stdout
        libraries = re.findall(r"^  (\S+)$", told, re.MULTILINE)
        if libraries and not apt_install(machine, *libraries) and unpack(machine, *libraries):
            use_unpacked(machine)
        found = playwrights_browser(machine, python)
    return found


def browser_here(machine: Machine) -> str | None:
    """The first that the machine has, Chromium before its relatives."""
    known = (*map(machine.which, BROWSERS), *MAC_BROWSERS)
    return next((path for path in known if path and starts(machine, path)), None)


def starts(machine: Machine, browser: str) -> bool:
    """Not a script that only leads to a shop, and no library is missing."""
    return Path(browser).exists() and machine.can(browser, "--version", quiet=True)


def playwrights_browser(machine: Machine, python: Path) -> str | None:
    """The one Playwright has downloaded earlier. It tells the folder only in what it says about a dry run."""
    told = machine.run(python, "-m", "playwright", "install", "--dry-run", "--only-shell", "chromium", quiet=True)
    folders = re.findall(r"Install location:\s+(.*chromium.*)", told.stdout)
    files = (path for folder in folders for path in Path(folder).rglob("*headless[-_]shell"))
    return next((str(path) for path in files if path.is_file() and starts(machine, str(path))), None)


def give_playwright_its_library(machine: Machine) -> None:
    """The Node inside Playwright needs libatomic, which a minimal Debian lacks."""
    if machine.system != "linux" or any((machine.private / "root").rglob("libatomic.so.1")):
        return
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        if not apt_install(machine, "libatomic1") and unpack(machine, "libatomic1"):
            use_unpacked(machine)
