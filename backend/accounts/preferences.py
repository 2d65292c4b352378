"""An admin's choices for an account: stage rules, options, a new hook URL."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from backend.accounts.kommo_hooks import give_address, is_lost
from backend.accounts.lookup import account_of
from backend.accounts.options import check_options, options_of
from backend.accounts.provisioning import refresh_pipelines
from backend.accounts.stage_rules import check_stages, names_unknown
from backend.accounts.stripe.connections import connections_of
from backend.core.errors import NotConnected
from backend.kommo_api.errors import KommoError
from backend.resources import Resources
from backend.storage.models import Audit
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_redraw, request_work


async def put_stages(resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """Store the rules of the given pipelines and return the rules of all, both as in ``stage_rules.check_stages``.

    Pipelines or stages that are unknown here are first looked up in Kommo. Raises ``AccountNotFound`` and
    ``FieldInvalid``.
    """
    async with resources.database.look() as session:
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


@repeated
async def put_options(resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """Store the given options and return all of them with ``mode``. Raises ``AccountNotFound`` and ``FieldInvalid``.

    A change of the mode or the debt tags rewrites every deal.
    """
    checked = check_options(given)
    async with account_unit(resources.database, account_id) as session:
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
        if account.mode != before["mode"] or options_of(account).debt_tags != before.get("debt_tags", False):
            await request_redraw(session, account_id)
        await request_work(session, account_id)
    resources.work_arrived.set()
    return options_of(account).model_dump() | {"mode": account.mode}


async def renew_hook(resources: Resources, account_id: int, *, who: str) -> None:
    """Replace a hook URL that cannot be shown any more; one that can be shown stays. Raises ``AccountNotFound``."""
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
    """An audit row with the changed values only."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return Audit(
        at=resources.clock(),
        account_id=account_id,
        who=who,
        what=what,
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed if name in after},
    )
