"""The texts of the repository as a reader has them: sources and documents, without what is generated."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("backend", "bench", "docs", "sandbox", "tests", "tools", "widget")
KINDS = {".css", ".html", ".js", ".md", ".py", ".toml", ".yml"}


def files(*kinds: str) -> Iterator[Path]:
    """Every text file of ours of these kinds, or of all kinds."""
    wanted = set(kinds) or KINDS
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file() and path.suffix in wanted)
    for folder in FOLDERS:
        yield from (path for path in sorted((ROOT / folder).rglob("*")) if path.is_file() and path.suffix in wanted)


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
