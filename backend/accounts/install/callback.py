"""Connecting a Kommo account: the callback's code becomes an answer, kept before it is read, and then an account."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

import structlog

from backend.accounts.install.activate import activate
from backend.accounts.install.pending import (
    OpenInstall,
    all_waiting,
    forget,
    keep_answer,
    keep_code,
    note_refusal,
    waiting_codes,
)
from backend.accounts.integrations import Keys, is_client_id, known_keys, same_address
from backend.core.errors import BadCallback, KommoUnreachable, ProductError
from backend.core.signing import BadState
from backend.kommo_api.auth.oauth import TokenRefused, exchange_code
from backend.kommo_api.errors import KommoError
from backend.kommo_api.hosts import BadReferer, kommo_host
from backend.resources import Resources
from backend.storage.models import Account, Integration

log = structlog.get_logger()
_under_way: set[asyncio.Task[OpenInstall]] = set()
"""The event loop itself holds its tasks weakly."""


def _wrong_keys(base_url: str) -> str:
    """Kommo need not tell the one from the other."""
    return (
        f"At {base_url} Kommo does not accept the secret key, or the code is used or older than 20 minutes. "
        "Check that this is the account's address, copy the key again from the integration, and start again."
    )


class KeysRefused(BadCallback):
    """Kommo does not know the integration by this secret key, or it said no and not why; or, by ``field``, its form
    holds another redirect URI. The code is still good."""


class CodeRefused(BadCallback):
    """The code is used, too old, or of another integration; or, by ``field``, there is no such account."""


@dataclass(frozen=True, slots=True)
class Callback:
    """The query of ``/oauth/kommo/callback``, as it came."""

    code: str = field(repr=False)
    referer: str
    client_id: str
    state: str
    from_widget: bool


async def connect(resources: Resources, callback: Callback) -> Account | None:
    """The connected account; None when the integration's secret is not known yet and the code waits for it.

    The host is checked before anything secret goes there.
    """
    _check_state(resources, callback)
    if not callback.code or not is_client_id(callback.client_id):
        raise BadCallback("Kommo sent no code. Install the integration again.")
    base_url = trusted_host(resources, callback.referer)
    async with resources.database.read() as session:
        integration = await session.get(Integration, callback.client_id)
    keys = known_keys(resources, integration)
    if keys is None:
        await keep_code(resources, callback.client_id, base_url, callback.code)
        return None
    if not callback.state:  # anybody can send this: until Kommo takes the code, nothing is proven
        await resources.pace.unproven.enter()
    try:
        answer = await exchange(resources, keys, base_url, callback.code)
    except KeysRefused as error:
        if integration is not None and integration.account_id is None:
            await _await_other_keys(resources, callback, base_url, error, keys)
        raise
    return await activate(resources, answer)


async def _await_other_keys(
    resources: Resources, callback: Callback, base_url: str, error: KeysRefused, keys: Keys
) -> None:
    """Kommo's install hook shows nobody our answer: what is wrong is told where the code waits."""
    await keep_code(resources, callback.client_id, base_url, callback.code)
    for pending in await waiting_codes(resources, callback.client_id):
        await note_refusal(resources, pending, error.message, keys)


def _check_state(resources: Resources, callback: Callback) -> None:
    """Without a state only Kommo's own install hook may come; its proof is the code itself."""
    if not callback.state:
        if not callback.from_widget:
            raise BadCallback("This address has no state. Start again from the set-up page, or install in Kommo.")
        return
    try:
        signed = resources.states.read(callback.state)
    except BadState:
        raise BadCallback("This sign-in has expired or was not begun here. Start again from the set-up page.") from None
    if signed.get("client_id") != callback.client_id:
        raise BadCallback("This sign-in was begun for another integration. Start again from the set-up page.")


def trusted_host(resources: Resources, referer: str) -> str:
    """The base URL of the account that ``referer`` names."""
    try:
        return kommo_host(referer, resources.addresses.kommo_base_url)
    except BadReferer:
        raise BadCallback("The address does not come from Kommo. Nothing was sent there.") from None


async def exchange(resources: Resources, keys: Keys, base_url: str, code: str) -> OpenInstall:
    """Code → Kommo's raw answer, durable before anybody reads it; kept even if the caller hangs up meanwhile."""

    async def to_the_end() -> OpenInstall:
        raw = await _exchanged(resources, keys, base_url, code)
        return await keep_answer(resources, keys.client_id, base_url, raw)

    task = asyncio.create_task(to_the_end())
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return await asyncio.shield(task)


async def _exchanged(resources: Resources, keys: Keys, base_url: str, code: str) -> bytes:
    try:
        return await _asked_twice(resources, keys, base_url, code)
    except TokenRefused as error:
        if error.wrong_keys:
            raise KeysRefused(_wrong_keys(base_url), field="client_secret") from error
        if error.wrong_address:
            raise KeysRefused(same_address(keys), field="redirect_uri") from error
        if error.status == 404:
            raise CodeRefused(f"Kommo has no account at {base_url}.", field="subdomain") from error
        raise CodeRefused(
            "Kommo does not accept the code: it is used or older than 20 minutes. Start again."
        ) from error
    except KommoError as error:
        raise KommoUnreachable(f"{error} Start again in a moment.") from error


async def _asked_twice(resources: Resources, keys: Keys, base_url: str, code: str) -> bytes:
    """A connection that broke may have broken before Kommo saw the code: then it is still good."""

    async def ask() -> bytes:
        async with resources.pace.turn(None, backlog=False):
            return await exchange_code(
                resources.kommo_http,
                base_url,
                client_id=keys.client_id,
                client_secret=keys.secret,
                redirect_uri=keys.redirect_uri,
                code=code,
            )

    try:
        return await ask()
    except KommoError as error:
        if not error.doubtful:
            raise
        return await ask()


async def connect_waiting(resources: Resources) -> None:
    """Whatever waits and can go on: answers a crash or an outage left behind, tokens and codes not used yet."""
    pending = await all_waiting(resources)
    codes: dict[str, list[OpenInstall]] = {}
    for one in pending:
        if one.kind == "code":
            codes.setdefault(one.client_id, []).append(one)
        elif one.kind == "answer" or not one.rests(resources.clock()):
            await _saying_why_not(one, activate(resources, one))
    for some in codes.values():
        await _saying_why_not(some[0], _go_on(resources, some))


async def _saying_why_not(pending: OpenInstall, work: Awaitable[object]) -> None:
    try:
        await work
    except ProductError as error:
        log.warning("not connected yet", client_id=pending.client_id, kind=pending.kind, reason=error.message)


async def _go_on(resources: Resources, codes: Sequence[OpenInstall]) -> None:
    """With the codes of one integration, if its secret is known by now. Who finds out that it is wrong notes it."""
    async with resources.database.read() as session:
        integration = await session.get(Integration, codes[0].client_id)
    keys = known_keys(resources, integration)
    due = [one for one in codes if keys is not None and one.is_due(keys, resources.clock())]
    if keys is None or not due:
        return
    try:
        await use_codes(resources, keys, due)
    except KeysRefused as error:
        for one in due:
            await note_refusal(resources, one, error.message, keys)
        raise


async def use_codes(resources: Resources, keys: Keys, codes: Sequence[OpenInstall]) -> Account:
    """Each is tried, since anybody may have brought some of them; the account that the last good one connects.

    Raises what tells the most where none is good. A code that Kommo refuses is forgotten; one that never reached
    Kommo goes on waiting, and so does one whose keys are at fault.
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
        if isinstance(refusal, KeysRefused):  # the keys were good for another: it is the code that is not
            await forget(resources, pending)
    return account


async def _use_code(resources: Resources, keys: Keys, pending: OpenInstall) -> Account:
    try:
        answer = await exchange(resources, keys, pending.base_url, pending.secret)
    except CodeRefused:
        await forget(resources, pending)
        raise
    await forget(resources, pending)
    return await activate(resources, answer)
