"""Continues pending installations as soon as they can: codes by their integration's keys, answers and tokens by
Kommo."""

from collections.abc import Awaitable, Sequence

import structlog

from backend.accounts.install.activate import activate
from backend.accounts.install.exchange import CodeRefused, KeysRefused, exchange
from backend.accounts.install.hosts import usable
from backend.accounts.install.pending import OpenInstall, all_waiting, forget, note_refusal
from backend.accounts.integrations import Keys, known_keys
from backend.core.errors import ProductError
from backend.resources import Resources
from backend.storage.models import Account, Integration

log = structlog.get_logger()


async def connect_waiting(resources: Resources) -> None:
    """Connect every pending installation that can continue: answers left by a crash or an outage, tokens and unused
    codes.

    Failures are logged and stored; nothing is raised for a single installation.
    """
    pending = await all_waiting(resources)
    codes: dict[str, list[OpenInstall]] = {}
    for one in pending:
        if one.kind == "code":
            codes.setdefault(one.client_id, []).append(one)
        elif not one.awaits_yes and (one.kind == "answer" or not one.rests(resources.clock())):
            await _saying_why_not(one, activate(resources, one))
    for some in codes.values():
        await _saying_why_not(some[0], _go_on(resources, some))


async def _saying_why_not(pending: OpenInstall, work: Awaitable[object]) -> None:
    try:
        await work
    except ProductError as error:
        log.warning("connection deferred", client_id=pending.client_id, kind=pending.kind, reason=error.message)


async def _go_on(resources: Resources, codes: list[OpenInstall]) -> None:
    """Use the codes of one integration if its secret is known by now, and record a refusal of the keys."""
    async with resources.database.read() as session:
        integration = await session.get(Integration, codes[0].client_id)
    keys = known_keys(resources, integration)
    if keys is None:
        return
    proven = await usable(resources, keys.client_id, codes)
    due = [one for one in proven if one.is_due(keys, resources.clock())]
    if not due:
        return
    try:
        await use_codes(resources, keys, due)
    except KeysRefused as error:
        for one in due:
            await note_refusal(resources, one, error.message, keys)
        raise


async def use_codes(resources: Resources, keys: Keys, codes: Sequence[OpenInstall]) -> Account:
    """Try each code, because anybody may have sent some of them; returns the account that the last valid one connects.

    Without a valid code the most informative error is raised: ``KeysRefused`` before any other. A code that Kommo
    refuses is deleted; one that never reached Kommo, or whose keys are wrong, stays pending.
    """
    account, refusals = None, []
    for pending in codes:
        try:
            account = await _use_code(resources, keys, pending)
        except ProductError as error:
            refusals.append((pending, error))
    if account is None:
        raise min((error for _, error in refusals), key=lambda error: not isinstance(error, KeysRefused))
    for pending, refusal in refusals:
        if isinstance(refusal, KeysRefused):  # the keys worked for another code, so this code is bad
            await forget(resources, pending)
    return account


async def _use_code(resources: Resources, keys: Keys, pending: OpenInstall) -> Account:
    try:
        answer = await exchange(resources, keys, pending.base_url, pending.secret, origin=pending.origin)
    except CodeRefused:
        await forget(resources, pending)
        raise
    await forget(resources, pending)
    return await activate(resources, answer)
