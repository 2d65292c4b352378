"""Packages of Debian and Ubuntu, with root and without."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from tools.bootstrap.machine import Machine, say


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
