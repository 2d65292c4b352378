"""Connecting a Kommo account: the callback's code becomes an answer, kept before it is read, and then an account."""

import asyncio
from dataclasses import dataclass, field

import structlog

from backend.accounts.adopting import adopt
from backend.accounts.integrations import Keys, is_client_id, known_keys, same_address
from backend.accounts.pending import Waiting, all_waiting, forget, keep_answer, keep_code
from backend.errors import BadCallback, KommoUnreachable, ProductError
from backend.kommo_api.errors import KommoError
from backend.kommo_api.hosts import BadReferer, kommo_host
from backend.kommo_api.oauth import TokenRefused, exchange_code
from backend.models import Account, Integration
from backend.resources import Resources
from backend.signing import BadState

log = structlog.get_logger()
_under_way: set[asyncio.Task[Waiting]] = set()
"""The event loop itself holds its tasks weakly."""


WRONG_KEYS = (
    "Kommo does not accept the secret key, or the code is used or older than 20 minutes. "
    "Copy the key again from the integration, and start again."
)
"""Kommo need not tell the one from the other."""


class WrongSecret(BadCallback):
    """Kommo does not know the integration by this secret key; or it said no, and not why."""


class CodeRefused(BadCallback):
    """The code is used, too old, or of another integration; or, with ``field``, the redirect URI is wrong."""


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
    return await adopt(resources, await exchange(resources, keys, base_url, callback.code))


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


async def exchange(resources: Resources, keys: Keys, base_url: str, code: str) -> Waiting:
    """Code → Kommo's raw answer, durable before anybody reads it; kept even if the caller hangs up meanwhile."""

    async def to_the_end() -> Waiting:
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
            raise WrongSecret(WRONG_KEYS) from error
        if error.wrong_address:
            raise CodeRefused(same_address(keys), field="redirect_uri") from error
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
    for waiting in await all_waiting(resources):
        try:
            await _go_on(resources, waiting)
        except ProductError as error:
            log.warning("not connected yet", client_id=waiting.client_id, kind=waiting.kind, reason=error.message)


async def _go_on(resources: Resources, waiting: Waiting) -> None:
    if waiting.kind != "code":
        await adopt(resources, waiting)
        return
    async with resources.database.read() as session:
        integration = await session.get(Integration, waiting.client_id)
    keys = known_keys(resources, integration)
    if keys is not None:
        await use_code(resources, keys, waiting)


async def use_code(resources: Resources, keys: Keys, waiting: Waiting) -> Account:
    """A code that Kommo refuses is forgotten; one that never reached Kommo goes on waiting."""
    try:
        answer = await exchange(resources, keys, waiting.base_url, waiting.secret)
    except CodeRefused:
        await forget(resources, waiting)
        raise
    await forget(resources, waiting)
    return await adopt(resources, answer)
