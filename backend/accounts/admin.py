"""What an admin sees and chooses of an account; called by the admin API, the command line and the pages alike."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.connections import connections_of, webhook_url
from backend.accounts.hooks import give_address, hook_url, is_lost
from backend.accounts.options import check_options, options_of
from backend.accounts.pairs import opens
from backend.accounts.renewals import refused_renewal, renewals_a_year
from backend.accounts.setup import refresh_pipelines
from backend.accounts.stages import check_stages, names_unknown
from backend.errors import AccountNotFound, NotConnected
from backend.kommo_api.errors import KommoError
from backend.ledger.load import is_live
from backend.models import Account, Audit
from backend.rate.rows import blocked_at
from backend.resources import Resources
from backend.wakeups import mark_all_dirty, want

LOST = "No key in SECRET_KEYS opens this account's tokens. Put back the key that was in use, or connect again."


async def list_accounts(resources: Resources, only: int | None = None) -> list[dict[str, Any]]:
    """All of them, or ``only`` the account of this id."""
    chosen = select(Account).order_by(col(Account.id))
    if only is not None:
        chosen = chosen.where(Account.id == only)
    async with resources.database.read() as session:
        accounts = (await session.exec(chosen)).all()
        return [await _shown(resources, session, account) for account in accounts]


async def _problem(resources: Resources, session: AsyncSession, account: Account) -> str:
    """The one that all accounts behind our address share, the account's own, and that of its renewals."""
    blocked = "Kommo has blocked this server's address; only Kommo's support can lift that."
    shared = blocked if await blocked_at(session) else ""
    lost = "" if opens(resources, account) else LOST
    refused = await refused_renewal(session, account.id, resources.clock())
    known = (shared, lost, account.problem, refused)
    return " ".join(one for one in known if one)


async def _shown(resources: Resources, session: AsyncSession, account: Account) -> dict[str, Any]:
    connections = await connections_of(session, account.id)
    return {
        "account_id": account.id,
        "subdomain": account.subdomain,
        "state": account.state,
        "mode": "live" if is_live(account, connections) else "test",
        "ready": account.set_up_at > 0,
        "problem": await _problem(resources, session, account),
        "stages": account.stages,
        "options": options_of(account).model_dump(),
        "hook_url": hook_url(resources, account),
        "hook_is_lost": is_lost(resources, account),
        "renewals_a_year": await renewals_a_year(session, account.id),
        "stripe": [
            {
                "id": one.id,
                "livemode": one.livemode,
                "state": one.state,
                "webhook_url": webhook_url(resources, one.id),
                "reference_policy": one.reference_policy,
                "problem": one.problem,
            }
            for one in connections
            if one.state != "removed"
        ],
    }


async def account_of(session: AsyncSession, account_id: int) -> Account:
    account = await session.get(Account, account_id, with_for_update=True)
    if account is None:
        raise AccountNotFound(f"No Kommo account {account_id} is connected here.")
    return account


async def put_stages(resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """The rules of the given pipelines; the others stay. What is not known here is first looked for in Kommo."""
    async with resources.database.read() as session:
        unknown = names_unknown(await account_of(session, account_id), given)
    if unknown:
        with suppress(KommoError, NotConnected):
            await refresh_pipelines(resources, account_id)
    async with resources.database.write() as session:
        account = await account_of(session, account_id)
        before = account.stages
        account.stages = account.stages | check_stages(account, given)
        session.add(account)
        session.add(_said(resources, account_id, who, "stages", before, account.stages))
    return account.stages


async def put_options(resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """The given options; the others stay. Changing the mode looks at every deal again."""
    checked = check_options(given)
    async with resources.database.write() as session:
        account = await account_of(session, account_id)
        before = account.options | {"mode": account.mode}
        account.mode = checked.pop("mode", account.mode)
        account.options = account.options | checked
        session.add(account)
        if "bare_reference" in checked:
            for connection in await connections_of(session, account_id):
                connection.reference_policy = checked["bare_reference"]
                session.add(connection)
        after = account.options | {"mode": account.mode}
        session.add(_said(resources, account_id, who, "options", before, after))
        if account.mode != before["mode"]:
            await mark_all_dirty(session, account_id, resources.clock())
        await want(session, account_id)
    resources.work_arrived.set()
    return options_of(account).model_dump() | {"mode": account.mode}


async def renew_hook(resources: Resources, account_id: int, *, who: str) -> None:
    """A new address in place of one that can't be shown any more; one that can be shown stays."""
    async with resources.database.write() as session:
        account = await account_of(session, account_id)
        if is_lost(resources, account):
            account.hook_digest = ""
            give_address(resources, account)
            session.add(account)
            session.add(_said(resources, account_id, who, "hook address", {}, {}))


def _said(
    resources: Resources, account_id: int, who: str, what: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Audit:
    """Of what was there before and is there now, only what differs."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return Audit(
        at=resources.clock(),
        account_id=account_id,
        who=who,
        what=what,
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed if name in after},
    )
