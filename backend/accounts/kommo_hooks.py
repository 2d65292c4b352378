"""Hooks of Kommo's Digital Pipeline and bots: a hint that a deal changed, after which the deal is fetched again."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import case, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import HookUnknown
from backend.core.signing import opaque_id
from backend.core.vault import CannotOpen
from backend.resources import Resources
from backend.storage.models import Account, Deal
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty, request_work


def secret_row(account_id: int) -> str:
    """The row name for which an account's hook secret is sealed."""
    return f"account:{account_id}:hook"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def give_address(resources: Resources, account: Account) -> None:
    """Give the account a hook URL if it has none yet; the caller stores the row."""
    if not account.hook_digest:
        secret = opaque_id(resources.randomness)
        account.hook_secret = resources.vault.seal_text(secret, secret_row(account.id))
        account.hook_digest = _digest(secret)


async def give_addresses(resources: Resources) -> None:
    """Give hook URLs to accounts that were connected before hooks existed."""
    async with resources.database.write() as session:
        for account in (await session.exec(select(Account).where(Account.hook_digest == ""))).all():
            give_address(resources, account)
            session.add(account)


def hook_url(resources: Resources, account: Account) -> str:
    """The account's hook URL, or '' if there is none or it cannot be decrypted; an undecryptable one still works."""
    if not account.hook_secret:
        return ""
    try:
        secret = resources.vault.open_text(account.hook_secret, secret_row(account.id))
    except CannotOpen:
        return ""
    return f"{resources.addresses.public_url}/kommo/hooks/{secret}"


def is_lost(resources: Resources, account: Account) -> bool:
    """True if the account has a working hook URL that cannot be shown, because SECRET_KEYS cannot decrypt it."""
    return bool(account.hook_secret) and not hook_url(resources, account)


async def account_of_hook(resources: Resources, secret: str) -> int:
    """The id of the account whose hook URL contains ``secret``. Raises ``HookUnknown``."""
    async with resources.database.read() as session:
        found = await session.exec(select(Account.id).where(Account.hook_digest == _digest(secret)))
        account_id = found.first()
    if account_id is None:
        raise HookUnknown("There is no such address. Copy it again from the set-up page.")
    return account_id


async def hint(resources: Resources, account_id: int, lead_ids: Sequence[int]) -> None:
    """Schedule a fetch of the named deals that we know; others are ignored."""
    async with account_unit(resources.database, account_id) as session:
        await _look_again(session, account_id, lead_ids, resources.clock())
    resources.work_arrived.set()


async def _look_again(session: AsyncSession, account_id: int, lead_ids: Sequence[int], now: float) -> None:
    """Make the known deals due for verification, except those just written: the hint may echo our own write, and they
    are verified soon anyway."""
    mine = (col(Deal.account_id) == account_id, col(Deal.lead_id).in_(lead_ids))
    due = or_(col(Deal.audit_at).is_(None), col(Deal.audits) > 0)
    looks = case((col(Deal.audits) > 0, col(Deal.audits) - 1), else_=0)  # an additional verification, it replaces none
    told = update(Deal).where(*mine, due, col(Deal.state) == "known").values(audit_at=now, audits=looks)
    if (await session.exec(told)).rowcount:
        await request_work(session, account_id)
    gone = await session.exec(select(Deal.lead_id).where(*mine, Deal.state == "gone"))
    await mark_dirty(session, account_id, gone.all(), now)
