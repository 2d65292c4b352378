"""A step by other means, where this machine lacks what the image's base has: pip for a new environment, an index."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

VENV = re.compile(r"(\S*python\S*) -m venv (?!--without-pip)(\S+)")
PIP_INSTALL = re.compile(r"\S+/pip --python (\S+) install|(\S+)/pip install")
MISSING = re.compile(
    r"No matching distribution found for \S+|[^\n]*(?:Failed to establish a new connection|Max retries exceeded"
    r"|Read timed out|HTTP error [45]\d\d|ProxyError|SSLError|Failed to fetch|No space left on device)[^\n]*"
)
"""What pip and uv say where the packages can't be had. A wrong hash is not among it: that is a fault of the lock."""


class Lacking(Exception):
    """This machine lacks something that the steps need; its words say what."""


def missing_packages(done: subprocess.CompletedProcess[str]) -> str:
    """The words of pip or uv that packages can't be had here, or '' where nothing or something else failed."""
    found = MISSING.findall(done.stdout + done.stderr) if done.returncode else []
    return found[-1].strip()[:200] if found else ""


def lent_pip(command: str, *, has_ensurepip: bool) -> str:
    """The command itself; where Python can't put pip into a new environment (Debian), with a copy of our own pip."""
    if has_ensurepip or not VENV.search(command):
        return command
    pip = find_spec("pip")
    if pip is None or pip.origin is None:
        raise Lacking("pip: neither this Python nor its environment has one")
    packages = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    script = r"""printf '#!/bin/sh\nexec "%s" -m pip "$@"\n' \2/bin/python > \2/bin/pip && chmod +x \2/bin/pip"""
    copy = rf"\1 -m venv --without-pip \2 && cp -R {Path(pip.origin).parent} \2/{packages}/"
    return VENV.sub(f"{copy} && {script}".replace(r"\n", r"\\n"), command)


def by_uv_instead(command: str) -> str:
    """The command with uv in the place of ``pip install``, or an empty text where it has none or uv is not here.

    uv knows mirrors and a cache that pip does not.
    """
    uv = shutil.which("uv")
    if not uv or not PIP_INSTALL.search(command):
        return ""
    instead = PIP_INSTALL.sub(lambda at: f"{uv} pip install --python {at[1] or f'{at[2]}/python'}", command)
    return instead.replace("python -m venv ", "python -m venv --clear ").replace(" --no-cache-dir", "")
