"""The migrations make exactly the tables that the models describe, from empty or from what an older release left."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData
from sqlmodel import SQLModel, select

import backend.storage.migrations
import backend.storage.models
from backend.storage.db import Database
from backend.storage.migrations import alembic_config, upgrade, versions
from tests.forks import FORKS
from tests.processes.child import migrate_alone
from tests.storage.first_release import fill
from tests.world import open_world


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_migrations_and_models_agree(new_url: str) -> None:
    database = Database(new_url)
    await upgrade(database)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await database.close()


def test_several_processes_may_start_at_once(new_url: str) -> None:
    processes = [FORKS.Process(target=migrate_alone, args=(new_url,), daemon=True) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]


async def test_what_the_first_release_left_goes_on(new_url: str, tmp_path: Path, anyio_backend: str) -> None:
    """A deal that was to be written is written, an event that waited is worked in, what was done is not done again;
    its links are good, and new ones can be made."""
    nowhere = f"sqlite+aiosqlite:///{tmp_path}/nowhere.db"
    async with open_world(nowhere, connected=False) as first:
        first.worker.stop()
        filled = await fill(first, new_url)
        async with first.started_again(new_url) as product:
            await product.until(lambda: product.notes(filled.dirty) and product.notes(filled.waiting))
            await product.quiet()
            for lead_id, payment in ((filled.dirty, "pi_1"), (filled.waiting, "pi_2")):
                fields, (note,) = product.fields(lead_id), product.notes(lead_id)
                assert (fields["STRIPE_PAYMENT_STATUS"], fields["STRIPE_PAYMENT_INTENT"]) == ("Paid", payment)
                assert payment in note.text
            assert len(product.notes(filled.done)) == 1
            assert (await product.http.get(f"{product.url}/p/{filled.link_token[:-1]}1")).status_code == 200
            assert (await product.ask(filled.done)).status_code == 201


async def test_rows_of_every_table_and_time_are_there_afterwards(new_url: str) -> None:
    """Each release that began with a migration left a row in every table of its day; all are read by ours."""
    database = Database(new_url)
    for number, revision in enumerate(_revisions(), 1):
        async with database.engine.connect() as connection:
            await connection.execution_options(may_write=True)
            await connection.run_sync(_fill_all, revision, number)
            await connection.commit()
    await upgrade(database)
    async with database.read() as session:
        for table in SQLModel.__subclasses__():
            if hasattr(table, "__table__"):
                assert (await session.exec(select(table))).all(), table
    await database.close()


def test_the_steps_are_known_by_their_files_as_alembic_knows_them() -> None:
    scripts = ScriptDirectory(str(Path(backend.storage.migrations.__file__).parent))
    assert list(versions()) == [script.revision for script in scripts.walk_revisions()][::-1]


def _revisions() -> list[str]:
    scripts = ScriptDirectory(str(Path(backend.storage.migrations.__file__).parent)).walk_revisions()
    return sorted(script.revision for script in scripts)


def _fill_all(connection: Connection, revision: str, number: int) -> None:
    command.upgrade(alembic_config(connection), revision)
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name != "alembic_version":
            connection.execute(table.insert(), {c.name: _something(c, number) for c in table.columns})


def _something(column: Column[Any], number: int) -> Any:
    kind = column.type.python_type
    if kind in (dict, list):
        return kind()
    return {str: str(number), bytes: b"sealed", bool: True}.get(kind, number)
