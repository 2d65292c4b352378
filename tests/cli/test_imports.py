"""A command answers within a second: that is a matter of what it imports, which unlike time is the same everywhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import GOOD, environment
from tests.migrated_databases import copy_migrated

WEB = {"backend.web.app", "fastapi", "jinja2", "starlette", "uvicorn"}
"""Only ``serve`` answers requests."""
UPGRADING = WEB | {"alembic"}
"""Most commands find the database up to date."""
CALLING = UPGRADING | {"requests", "stripe"}
TABLES = CALLING | {"backend.resources", "backend.storage.models", "httpx", "rich.progress"}
DATABASE = TABLES | {"sqlalchemy", "pydantic", "backend.storage.db"}
"""What no command needs that answers from itself."""
NEEDLESS = {
    "--help": DATABASE,
    "--version": DATABASE,
    "worker --help": TABLES,
    "migrate": TABLES,
    "events list": CALLING,
    "payments unmatched": CALLING,
    "integrations list": UPGRADING,
    "keys rotate": UPGRADING,
    "shadow report": UPGRADING,
    "doctor": UPGRADING,
    "worker --once": UPGRADING,
}


@pytest.mark.parametrize("words", NEEDLESS)
def test_a_command_imports_what_it_needs(tmp_path: Path, words: str) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    copy_migrated(database)
    settings = environment(**GOOD, PUBLIC_URL="http://127.0.0.1:9", DATABASE_URL=database)
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "backend", *words.split()],
        cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    imported = set(re.findall(r"^import time:.*\| +(\S+)$", told.stderr, re.MULTILINE))
    assert told.returncode in (0, 1), told.stderr[-500:]
    assert "backend.cli.app" in imported
    assert NEEDLESS[words] & imported == set()
