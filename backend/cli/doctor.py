"""``doctor``: checks the installation. One line per check, with what to do if it fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from backend.admin.checkup import Finding, examine
from backend.cli.reading import raise_bad
from backend.core.clock import system_clock
from backend.core.config import BadSettings, Settings, read_settings
from backend.core.logs import set_up_logs
from backend.resources import open_resources
from backend.storage.db import Database
from backend.storage.migrations import DatabaseUnusable, is_current
from backend.widget_archive import WidgetProblem, build, find_sources

ARCHIVE = Path("widget.zip")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: what, ok, said.")] = False,
) -> None:
    """Check settings, database, Kommo, Stripe and the widget's archive; exit code 1 if something must be fixed."""
    try:
        settings = read_settings()
    except BadSettings as error:
        if not as_json:
            raise_bad(error)
        for sentence in str(error).splitlines():
            typer.echo(_object(Finding("settings", False, sentence)))
        raise typer.Exit(2) from None
    set_up_logs(settings.log_format)
    if not asyncio.run(_all_well(settings, _object if as_json else _line)):
        raise typer.Exit(1)


async def _all_well(settings: Settings, shown: Callable[[Finding], str]) -> bool:
    well = True
    async for finding in _findings(settings):
        typer.echo(shown(finding))
        well = well and finding.is_well
    return well


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield Finding("settings", True, f"read; this server is {settings.public_url}")
    async with open_resources(settings, system_clock) as resources:
        database = await _database(resources.database)
        yield database
        if not database.is_well:
            return
        by_token = bool(settings.kommo_long_lived_token.get_secret_value())
        async for finding in examine(resources, by_token=by_token):
            yield finding
    yield _archive(settings.public_url)


def _object(finding: Finding) -> str:
    return json.dumps({"what": finding.what, "ok": finding.is_well, "said": finding.said}, ensure_ascii=False)


def _line(finding: Finding) -> str:
    return f"{'ok ' if finding.is_well else 'FIX'}  {finding.what}: {finding.said}"


async def _database(database: Database) -> Finding:
    try:
        current = await is_current(database)
    except DatabaseUnusable as error:
        return Finding("database", False, str(error))
    behind = "is empty or of an earlier version: run `kommo-stripe migrate` (`serve` does it by itself)"
    return Finding("database", current, "up to date" if current else behind)


def _archive(public_url: str) -> Finding:
    """The one that stands here is compared with what would be built now."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / ARCHIVE.name
        if ARCHIVE.exists():
            out.write_bytes(ARCHIVE.read_bytes())
        try:
            built = build(find_sources(), public_url, out)
        except WidgetProblem as error:
            return Finding("widget", False, str(error))
    if not ARCHIVE.exists():
        return Finding("widget", True, f"can be built: `kommo-stripe widget build` writes {ARCHIVE}")
    if built.changed:
        return Finding("widget", False, f"{ARCHIVE} is of another version or address: build it again and upload it")
    return Finding("widget", True, f"{ARCHIVE} is version {built.version}, for this server")
