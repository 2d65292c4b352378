"""The virtual environment, and what is installed in it."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

from tools.bootstrap.apt import apt_install, unpack
from tools.bootstrap.locks import ALL_LOCKS
from tools.bootstrap.machine import CannotSetUp, Machine, alone, say
from tools.bootstrap.python import base_python, spoken


def ready_python(machine: Machine, lock: str) -> Path:
    """The Python of ``.venv``, with everything that the lock file names.

    ``.venv/.stamp`` lists what is installed. It is removed first and written last, so that it never promises too much.
    """
    python, stamp = machine.folder / ".venv/bin/python", machine.folder / ".venv/.stamp"
    wanted = {name: stamp_of(machine, name) for name in ALL_LOCKS}
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
