"""What a build sees of the checkout: ``.dockerignore``, read as far as ours goes (all but what is named)."""

import shutil
from pathlib import Path


def allowed(folder: Path) -> list[str]:
    """The names at the top that the image is built from. Raises ``ValueError`` where not all else is left out."""
    lines = [line.strip() for line in (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    if rules[:1] != ["*"]:
        raise ValueError(".dockerignore must leave out everything first")
    return [rule.removeprefix("!") for rule in rules if rule.startswith("!")]


def copy_context(folder: Path, to: Path) -> None:
    """Lay the build's files into ``to``, as an engine would send them."""
    for name in allowed(folder):
        source = folder / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy2(source, to / name)
