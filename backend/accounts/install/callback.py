"""Kommo's redirect or install hook: its code connects an account, or waits for a missing key or confirmation."""

from dataclasses import dataclass, field
from enum import Enum, auto

from backend.accounts.install.activate import AwaitsYes, activate
from backend.accounts.install.exchange import KeysRefused, exchange
from backend.accounts.install.hosts import proven_hosts, trusted_host
from backend.accounts.install.pending import HOOK, OPERATOR, STATE, keep_code, note_refusal, waiting_codes
from backend.accounts.install.states import spend_state
from backend.accounts.integrations import Keys, is_client_id, known_keys
from backend.core.errors import BadCallback
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import Account, Integration


@dataclass(frozen=True, slots=True)
class Callback:
    """The query of ``/oauth/kommo/callback`` as received, and the browser's cookie."""

    code: str = field(repr=False)
    referer: str
    client_id: str
    state: str
    from_widget: bool
    browser: str = field(default="", repr=False)


class Waits(Enum):
    """What an installation waits for: the integration's key, or the operator's confirmation of the host or the
    account."""

    KEY = auto()
    HOST = auto()
    ACCOUNT = auto()


async def connect(resources: Resources, callback: Callback) -> Account | Waits:
    """The connected account, or what its installation waits for. The secret is sent to a proven host only.

    Raises ``BadCallback``, ``KommoUnreachable`` and, without a state, ``LaneFull``.
    """
    if not callback.code or not is_client_id(callback.client_id):
        raise BadCallback(said("code_missing"))
    if not callback.state:  # refuse a flood before it reads the database
        resources.pace.unproven.check()
    origin, base_url = await _whence(resources, callback)
    async with resources.database.read() as session:
        integration = await session.get(Integration, callback.client_id)
    keys = known_keys(resources, integration)
    is_proven = origin == OPERATOR or base_url in await proven_hosts(resources, callback.client_id)
    if keys is None or not is_proven:
        await keep_code(resources, callback.client_id, base_url, callback.code, origin=origin)
        return Waits.KEY if keys is None else Waits.HOST
    if not callback.state:  # anybody can send this: it proves nothing until Kommo accepts the code
        await resources.pace.unproven.enter()
    try:
        answer = await exchange(resources, keys, base_url, callback.code, origin=origin)
    except KeysRefused as error:
        if integration is not None and integration.account_id is None:
            await _await_other_keys(resources, callback, base_url, origin, error, keys)
        raise
    try:
        return await activate(resources, answer)
    except AwaitsYes:
        return Waits.ACCOUNT


async def _await_other_keys(
    resources: Resources, callback: Callback, base_url: str, origin: str, error: KeysRefused, keys: Keys
) -> None:
    """Keep the code with the problem, which the set-up page shows: Kommo's install hook shows our answer to nobody."""
    await keep_code(resources, callback.client_id, base_url, callback.code, origin=origin)
    for pending in await waiting_codes(resources, callback.client_id, base_url):
        await note_refusal(resources, pending, error.message, keys)


async def _whence(resources: Resources, callback: Callback) -> tuple[str, str]:
    """The code's origin and host. Without a state only Kommo's install hook is accepted, which anybody can imitate.

    A state that began at another host does not prove this one: the account may have moved.
    """
    if not callback.state:
        if not callback.from_widget:
            raise BadCallback(said("state_missing"))
        return HOOK, trusted_host(resources, callback.referer)
    base_url = trusted_host(resources, callback.referer)
    sign_in = await spend_state(resources, callback.state, client_id=callback.client_id, browser=callback.browser)
    is_operators = sign_in.by_operator and sign_in.base_url in ("", base_url)
    return OPERATOR if is_operators else STATE, base_url
