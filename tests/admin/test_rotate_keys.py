"""A new first key in SECRET_KEYS: everything that is stored is sealed under it, and the old key may go."""

import asyncio
import base64
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from backend.accounts.install.pending import keep_answer, keep_code, sealed_for
from backend.accounts.integrations import client_secret
from backend.accounts.kommo_hooks import hook_url
from backend.accounts.stripe.connections import connections_of, secrets_of, stripe_api
from backend.accounts.tokens.sealed import open_pair
from backend.admin import rotate_keys
from backend.admin.rotate_keys import PAGE, SEALED, Resealed, reseal
from backend.core.clock import system_clock
from backend.core.vault import CannotOpen, Vault
from backend.inbox.arrivals import read_body
from backend.resources import Resources
from backend.storage import models
from backend.storage.models import InboxEvent, Integration, PendingInstall
from sandbox.clock import MovableClock
from tests.accounts.connecting import ask_kommo
from tests.command_line import typed
from tests.forks import FORKS
from tests.world import ADMIN, KommoHosts, Tenant, World, new_tenant, open_process, open_world, settings

MANY = 5 * PAGE
OLD, NEW = "a sealing key of the tests", "the next key of the tests"


def by(resources: Resources, *keys: str) -> Resources:
    """A process that was started with these SECRET_KEYS."""
    return replace(resources, vault=Vault(keys))


async def filled(here: World) -> Tenant:
    """Something in every sealed column."""
    tenant = await new_tenant(here)
    path = f"/admin/api/accounts/{tenant.account.id}/stripe"
    key = here.stripe.add_account("Shop").live_secret_key
    body = {"api_key": key, "webhook_secret": "whsec_by_hand"}
    assert (await here.http.put(path, json=body, headers=ADMIN)).status_code == 200
    await keep_code(here.resources, "unknown", "https://x.kommo.com", "a code")
    await keep_answer(here.resources, "unknown", "https://x.kommo.com", b"{}")
    return tenant


async def opens(resources: Resources) -> list[str]:
    """The tables of which something does not open."""
    closed = []
    async with resources.database.read() as session:
        for sealed in SEALED:
            for row in (await session.exec(select(sealed.table))).all():
                try:
                    _open_all(resources.vault, sealed, row)
                except CannotOpen:
                    closed.append(str(sealed.table.__tablename__))
    return closed


def _open_all(vault: Vault, sealed: rotate_keys.Sealed, row: Any) -> None:
    for column, name in sealed.columns.items():
        value = getattr(row, column)
        for one in value if isinstance(value, list) else [value] if value else []:
            vault.open(one if isinstance(one, bytes) else base64.b64decode(one), name(row))


async def test_all_that_is_stored_opens_by_the_new_key_alone(database_url: str) -> None:
    async with open_world(database_url, clock=MovableClock(), own_hosts=True) as here:
        tenant = await filled(here)
        before = await tenant.row()
        told = await reseal(by(here.resources, NEW, OLD))
        assert (told.anew >= 8, told.already, told.unreadable) == (True, 0, 0)
        alone = by(here.resources, NEW)
        assert await opens(alone) == []
        assert await reseal(alone) == Resealed(already=told.anew)
        row = await tenant.row()
        assert open_pair(alone, row) == open_pair(here.resources, before)
        assert hook_url(alone, row) == hook_url(here.resources, before)
        async with alone.database.read() as session:
            integration = await session.get_one(Integration, tenant.integration.client_id)
            (connection,) = await connections_of(session, row.id)
        assert client_secret(alone, integration) == tenant.integration.client_secret
        assert secrets_of(alone, connection)[-1] == "whsec_by_hand"
        assert stripe_api(alone, connection)


def reseal_in_a_process(database_url: str, pages: int) -> None:
    """Killed as it is about to end the next page."""
    begun = iter(range(pages))

    def before(_: object) -> None:
        if next(begun, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    async def run() -> None:
        both = settings(database_url, secret_keys=f"{NEW},{OLD}")
        async with open_process(both, system_clock, KommoHosts("http://127.0.0.1:1")) as resources:
            event.listen(Engine, "commit", before)
            await reseal(resources)

    asyncio.run(run())


async def test_killed_half_way_it_goes_on_where_it_was(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with open_world(url, clock=MovableClock(), own_hosts=True) as here:
        async with here.resources.database.write() as session:
            for number in range(MANY):
                name = f"unknown-{number:04}"
                code = here.resources.vault.seal_text("{}", sealed_for(name))
                session.add(
                    PendingInstall(id=name, kind="code", client_id=name, secret=code, base_url="", received_at=0.0)
                )
        first = FORKS.Process(target=reseal_in_a_process, args=(url, 3))
        first.start()
        await asyncio.to_thread(first.join)
        done = await anew(here)
        assert 0 < done < MANY
        assert await reseal(by(here.resources, NEW, OLD)) == Resealed(anew=MANY - done, already=done)
        assert await opens(by(here.resources, NEW)) == []


async def anew(here: World) -> int:
    """How many of the codes are sealed under the new key."""
    newest = by(here.resources, NEW)
    async with newest.database.read() as session:
        rows = (await session.exec(select(PendingInstall).order_by(PendingInstall.id))).all()
    for count, row in enumerate(rows):
        try:
            newest.vault.open_text(row.secret, sealed_for(row.id))
        except CannotOpen:
            return count
    return len(rows)


async def test_what_no_key_opens_is_counted_and_left(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(), own_hosts=True) as here:
        await filled(here)
        strange = by(here.resources, NEW, "another key altogether")
        told = await reseal(strange)
        assert (told.anew, told.unreadable >= 8) == (0, True)
        assert await opens(here.resources) == []


async def test_the_operators_command_while_the_server_runs(tmp_path: Path) -> None:
    """Restarted with the new key first, it does not notice. Whoever forgot that is told, for it reads nothing now."""
    async with open_world(url := f"sqlite+aiosqlite:///{tmp_path}/product.db") as product:
        await product.paid_deal()
        async with product.started_again(url, secret_keys=f"{NEW},{OLD}") as restarted:
            code, said = await typed(product, tmp_path, "keys", "rotate", SECRET_KEYS=f"{NEW},{OLD}")
            assert (code, "sealed anew" in said) == (0, True), said
            assert "started before them reads nothing now: restart it, and run this once more" in said
            assert (await ask_kommo(restarted.resources, product.account.id)).id == product.account.id
        with pytest.raises(CannotOpen):
            await ask_kommo(product.resources, product.account.id)
        again = await typed(product, tmp_path, "keys", "rotate", SECRET_KEYS=NEW)
        assert "0 values sealed anew" in again[1]
        alone = by(product.resources, NEW)
        for row in await product.rows(InboxEvent):
            if row.body is not None:
                assert read_body(alone.vault, row)["id"] == row.id


def sealed_columns() -> Iterator[tuple[str, str]]:
    """By the remark beside the column in the models' source."""
    for path in Path(models.__file__).parent.glob("*.py"):
        table = ""
        for line in path.read_text().splitlines():
            table = line.removeprefix("class ").partition("(")[0] if line.startswith("class ") else table
            name, _, rest = line.strip().partition(":")
            if "sealed" in rest.partition("#")[2] and name.isidentifier():
                yield table, name


def test_no_sealed_column_is_forgotten() -> None:
    known = {(sealed.table.__name__, column) for sealed in SEALED for column in sealed.columns}
    remarked = set(sealed_columns())
    assert remarked - known == set()
    assert len(remarked) >= 6
