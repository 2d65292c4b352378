"""What an admin sees of an account; called by the admin API, the command line and the pages."""

from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.kommo_hooks import hook_url, is_lost
from backend.accounts.options import options_of
from backend.accounts.stripe.connections import connections_of, webhook_url
from backend.accounts.tokens.sealed import opens
from backend.admin.renewals import refused_renewal, renewals_a_year
from backend.core.sentences.said import said, together
from backend.ledger.load import is_live
from backend.rate_limit.store import blocked_at
from backend.resources import Resources
from backend.storage.models import Account

LOST = said("tokens_lost")


async def list_accounts(resources: Resources, only: int | None = None) -> list[dict[str, Any]]:
    """Return the known accounts as dicts for the admin API, by id, or ``only`` the one with this id ([] if unknown).

    Keys: ``account_id``, ``subdomain``, ``state``, ``mode`` ("live" or "test"), ``ready``, ``problem`` ('' if none),
    ``stages``, ``options``, ``hook_url``, ``hook_is_lost``, ``renewals_a_year``, and ``stripe``: a list of the
    connections that were not removed.
    """
    chosen = select(Account).order_by(col(Account.id))
    if only is not None:
        chosen = chosen.where(Account.id == only)
    async with resources.database.read() as session:
        accounts = (await session.exec(chosen)).all()
        return [await _shown(resources, session, account) for account in accounts]


async def _problem(resources: Resources, session: AsyncSession, account: Account) -> str:
    """Return the account's problem: one that all accounts behind our address share, its own, or that of its
    renewals.
    """
    shared = said("server_address_blocked") if await blocked_at(session) else ""
    lost = "" if opens(resources, account) else LOST
    refused = await refused_renewal(session, account.id, resources.clock())
    return together(shared, lost, account.problem, refused)


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
                "registered_url": one.endpoint_url,
                "reference_policy": one.reference_policy,
                "problem": one.problem,
            }
            for one in connections
            if one.state != "removed"
        ],
    }
