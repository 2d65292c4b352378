"""Installations that waited before migration 0010 go on waiting, with all that was known of them."""

from typing import Any

import orjson
from alembic import command
from sqlalchemy import Connection, MetaData
from sqlmodel import select

from backend.accounts.install.legacy import fill_columns
from backend.accounts.install.pending import all_waiting, sealed_for
from backend.core.config import Settings
from backend.core.vault import Vault
from backend.resources import open_resources
from backend.storage.migrations import alembic_config, upgrade
from backend.storage.models import PendingInstall

RECEIVED = 1_700_000_000.0
OLD: dict[str, dict[str, Any]] = {
    "id-1/aaaa": {"kind": "code", "client_id": "id-1", "secret": "a code"}
    | {"problem": "No.", "refused": "d", "refused_at": 3.0},
    "id/with/slashes/bbbb": {"kind": "answer", "client_id": "id/with/slashes", "secret": "{}"},
    "/acme": {"kind": "token", "client_id": "id-1", "secret": "a token"},
}


def left_by_0009(connection: Connection, vault: Vault) -> None:
    command.upgrade(alembic_config(connection), "0009")
    tables = MetaData()
    tables.reflect(connection)
    for name, said in OLD.items():
        code = vault.seal_text(orjson.dumps(said).decode(), sealed_for(name))
        row = {"client_id": name, "code": code, "base_url": "https://acme.kommo.com", "received_at": RECEIVED}
        connection.execute(tables.tables["pending_code"].insert(), row)
    lost = {"client_id": "lost/cccc", "code": "nothing opens this", "base_url": "", "received_at": RECEIVED}
    connection.execute(tables.tables["pending_code"].insert(), lost)


async def test_what_waited_before_the_columns_were_there_is_in_them(new_url: str) -> None:
    known: dict[str, Any] = {"public_url": "https://pay.example.com", "secret_keys": "a sealing key of the tests"}
    chosen = Settings(_env_file=None, admin_token="admin-token-of-the-tests", database_url=new_url, **known)
    async with open_resources(chosen, lambda: RECEIVED + 60) as resources:
        async with resources.database.engine.connect() as connection:
            await connection.execution_options(may_write=True)
            await connection.run_sync(left_by_0009, resources.vault)
            await connection.commit()
        await upgrade(resources.database)
        await fill_columns(resources)
        found = {one.id: one for one in await all_waiting(resources)}
        assert found.keys() == OLD.keys()
        for name, said in OLD.items():
            one = found[name]
            assert (one.kind, one.client_id, one.secret) == (said["kind"], said["client_id"], said["secret"])
            assert (one.base_url, one.received_at) == ("https://acme.kommo.com", RECEIVED)
            assert one.origin == ("settings" if said["kind"] == "token" else "hook")
        assert (found["id-1/aaaa"].problem, found["id-1/aaaa"].refused_keys) == ("No.", "d")
        async with resources.database.read() as session:
            assert len((await session.exec(select(PendingInstall))).all()) == len(OLD) + 1
