"""A command as it runs in the container: a user without rights, a read-only file system, nothing of our environment."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tools.image.build import Built
from tools.image.dockerfile import pairs

NEEDED = ("unshare", "setpriv", "mount")
CONFINE = """
mount --make-rprivate /
mount --bind "$DATA" "$DATA"
cd "$DATA"
if [ -n "$HIDDEN" ]; then
  mkdir -p "$ROOT/python" && mount --bind "$PYTHON" "$ROOT/python"
  mount -t tmpfs -o mode=0755 tmpfs "$HIDDEN" && mkdir -p "$PYTHON" && mount --bind "$ROOT/python" "$PYTHON"
  mount -o remount,ro "$HIDDEN"
fi
mount -o remount,ro,bind /
exec setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --clear-groups --no-new-privs --bounding-set -all \\
  env -u DATA -u HIDDEN -u PYTHON -u ROOT -u USER_ID -u GROUP_ID "$@"
"""


def settings_of(built: Built) -> dict[str, str]:
    """The image's ENV, with its paths on this machine."""
    found: dict[str, str] = {}
    for one in built.last.of("ENV"):
        found |= pairs(built.local(one.words))
    return found | {"PATH": f"{built.product}/bin:/usr/bin:/bin", "HOST": "127.0.0.1"}


def user_of(built: Built) -> tuple[str, str]:
    user, _, group = built.last.of("USER")[-1].words.partition(":")
    return user, group


def start(built: Built, words: Sequence[str], settings: Mapping[str, str], **how: object) -> subprocess.Popen[str]:
    """The command, in the image's folder for data."""
    environment = settings_of(built) | dict(settings)
    run = _confined if can_confine(built) else _popen
    return run(words, built, environment, how)


def _confined(
    words: Sequence[str], built: Built, environment: Mapping[str, str], how: Mapping[str, object]
) -> subprocess.Popen[str]:
    user, group = user_of(built)
    os.chown(built.data, int(user), int(group))
    given = {"DATA": str(built.data), "ROOT": str(built.root), "USER_ID": user, "GROUP_ID": group}
    confine = ["unshare", "--mount", "/bin/sh", "-e", "-c", CONFINE, "confined", *words]
    return _popen(confine, built, dict(environment) | given | _hidden_python(), how)


def _popen(
    words: Sequence[str], built: Built, environment: Mapping[str, str], how: Mapping[str, object]
) -> subprocess.Popen[str]:
    whole = [shutil.which(words[0], path=environment["PATH"]) or words[0], *words[1:]]
    return subprocess.Popen(whole, cwd=built.data, env=dict(environment), text=True, **how)  # type: ignore[call-overload, no-any-return]


def _hidden_python() -> dict[str, str]:
    """Where our own Python lies in a folder that only its owner enters, the folder that hides it."""
    python = Path(sys.base_prefix)
    for folder in reversed(python.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return {"HIDDEN": str(folder), "PYTHON": str(python)}
    return {"HIDDEN": "", "PYTHON": ""}


def confinement(built: Built) -> str:
    """How the commands of ``start`` run, in words."""
    return "as the image's user on a read-only file system" if can_confine(built) else "as this user: not confined here"


def can_confine(built: Built) -> bool:
    """Whether this machine lets us: root, mounts of its own, and a Python that starts as the image's user."""
    if built.confined is None:
        built.confined = _can_mount() and _python_starts(built)
    return built.confined


@cache
def _can_mount() -> bool:
    if os.geteuid() or not all(map(shutil.which, NEEDED)):
        return False
    tried = ["unshare", "--mount", "/bin/sh", "-e", "-c", "mount --make-rprivate / && mount -o remount,ro,bind /"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _python_starts(built: Built) -> bool:
    words = ["python", "-c", "import os, ssl, sqlite3; open('tried', 'w').close(); os.remove('tried')"]
    tried = _confined(words, built, settings_of(built), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
    return tried.wait() == 0
