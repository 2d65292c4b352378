"""``doctor``: is everything as it should be? One line for each thing, with what to do where something is wrong."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from backend.admin.checkup import Finding, examine
from backend.cli.reading import load_settings
from backend.core.clock import system_clock
from backend.core.config import Settings
from backend.resources import open_resources
from backend.storage.db import Database
from backend.storage.migrations import DatabaseUnusable, is_current
from backend.widget_archive import WidgetProblem, build, find_sources

ARCHIVE = Path("widget.zip")


def doctor() -> None:
    """Look at settings, database, Kommo, Stripe and the widget's archive; non-zero where something must be done."""
    settings = load_settings()
    typer.echo(_line(Finding("settings", True, f"read; this server is {settings.public_url}")))
    if not asyncio.run(_all_well(settings)):
        raise typer.Exit(1)


async def _all_well(settings: Settings) -> bool:
    well = True
    async with open_resources(settings, system_clock) as resources:
        database = await _database(resources.database)
        typer.echo(_line(database))
        if not database.is_well:
            return False
        by_token = bool(settings.kommo_long_lived_token.get_secret_value())
        async for finding in examine(resources, by_token=by_token):
            typer.echo(_line(finding))
            well = well and finding.is_well
    archive = _archive(settings.public_url)
    typer.echo(_line(archive))
    return well and archive.is_well


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
