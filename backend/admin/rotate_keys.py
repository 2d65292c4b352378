"""Rotation of SECRET_KEYS: every sealed value is resealed under the new first key, page by page, and can be continued
later.

Every sealed column of every table is in ``SEALED``; ``tests/admin/test_rotate_keys.py`` looks for a forgotten one.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import func, tuple_
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts import integrations, kommo_hooks
from backend.accounts.install.pending import sealed_for
from backend.accounts.stripe.connections import key_row, secret_row
from backend.accounts.tokens.refresh import answer_row
from backend.accounts.tokens.sealed import tokens_row
from backend.core.progress import Progress, unseen
from backend.core.vault import CannotOpen, Vault
from backend.inbox.arrivals import body_row
from backend.payments.checkout.sessions import email_row
from backend.resources import Resources
from backend.storage.models import Account, InboxEvent, Integration, PaymentRequest, PendingInstall, StripeConnection

PAGE = 200
RowName = Callable[[Any], str]
log = structlog.get_logger()


@dataclass(frozen=True)
class Sealed:
    """A table with sealed columns. ``columns``: column → the name under which its values are sealed."""

    table: type[SQLModel]
    key: tuple[str, ...]
    columns: Mapping[str, RowName]


SEALED = (
    Sealed(Integration, ("client_id",), {"secret": lambda row: integrations.secret_row(row.client_id)}),
    Sealed(PendingInstall, ("id",), {"secret": lambda row: sealed_for(row.id)}),
    Sealed(
        Account,
        ("id",),
        {
            "tokens": lambda row: tokens_row(row.id),
            "token_answer": lambda row: answer_row(row.id),
            "hook_secret": lambda row: kommo_hooks.secret_row(row.id),
        },
    ),
    Sealed(
        StripeConnection,
        ("id",),
        {
            "api_key": lambda row: key_row(row.id),
            "webhook_secrets": lambda row: secret_row(row.id),
            "given_secrets": lambda row: secret_row(row.id),
        },
    ),
    Sealed(PaymentRequest, ("account_id", "id"), {"email": lambda row: email_row(row.account_id, row.id)}),
    Sealed(InboxEvent, ("connection_id", "id"), {"body": lambda row: body_row(row.connection_id, row.id)}),
)


@dataclass
class Resealed:
    """Counts of values: resealed, already under the newest key, and not decryptable."""

    anew: int = 0
    already: int = 0
    unreadable: int = 0


async def reseal(resources: Resources, progress: Progress = unseen) -> Resealed:
    """Reseal every stored secret under the newest key and return the counts.

    It can be interrupted and restarted at any time, while other processes read and write.
    """
    told, done = Resealed(), 0
    async with resources.database.read() as session:
        total = sum([(await session.exec(select(func.count()).select_from(one.table))).one() for one in SEALED])
    for sealed in SEALED:
        async for number in _pages(resources, sealed, told):
            done += number
            progress(done, max(total, done))
            log.info("rows resealed", table=str(sealed.table.__tablename__), rows=number)
    return told


async def _pages(resources: Resources, sealed: Sealed, told: Resealed) -> AsyncIterator[int]:
    """Reseal page by page, each in a separate unit of work with its rows locked; yield the number of rows."""
    last: tuple[Any, ...] | None = None
    while True:
        async with resources.database.write() as session:
            rows = await _page(session, sealed, last)
            for row in rows:
                _renew(resources.vault, sealed, row, told)
                session.add(row)
        if not rows:
            return
        last = tuple(getattr(rows[-1], name) for name in sealed.key)
        yield len(rows)


async def _page(session: AsyncSession, sealed: Sealed, last: tuple[Any, ...] | None) -> list[Any]:
    key = [col(getattr(sealed.table, name)) for name in sealed.key]
    chosen = select(sealed.table).order_by(*key).limit(PAGE).with_for_update()
    if last is not None:
        chosen = chosen.where(tuple_(*key) > last)
    return list((await session.exec(chosen)).all())


def _renew(vault: Vault, sealed: Sealed, row: Any, told: Resealed) -> None:
    for column, name in sealed.columns.items():
        value = getattr(row, column)
        if isinstance(value, list):
            setattr(row, column, [_renewed(vault, one, name(row), told) for one in value])
        elif value:
            setattr(row, column, _renewed(vault, value, name(row), told))


def _renewed(vault: Vault, value: Any, name: str, told: Resealed) -> Any:
    """Return the value under the newest key; one that no key decrypts stays, since its key may come back."""
    try:
        anew = vault.renewed(value, name) if isinstance(value, bytes) else vault.renewed_text(value, name)
    except CannotOpen as error:
        log.error("row reseal failed", reason=str(error))
        told.unreadable += 1
        return value
    if anew is None:
        told.already += 1
        return value
    told.anew += 1
    return anew
