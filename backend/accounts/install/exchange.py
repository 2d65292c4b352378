"""Exchanges a code for Kommo's answer, stored before it is parsed; explains each refusal with what to do."""

import asyncio

from backend.accounts.install.pending import OpenInstall, keep_answer
from backend.accounts.integrations import Keys, same_address
from backend.accounts.tokens.proofs import note_no, note_proof
from backend.core.errors import BadCallback, KommoUnreachable
from backend.kommo_api.auth.oauth import TokenRefused, exchange_code
from backend.kommo_api.auth.refusals import Refusal
from backend.kommo_api.errors import KommoError
from backend.resources import Resources

_under_way: set[asyncio.Task[OpenInstall]] = set()
"""Strong references: the event loop itself holds its tasks weakly."""


class KeysRefused(BadCallback):
    """Kommo does not accept the integration's keys, or refused without a reason; the code is still valid."""


class CodeRefused(BadCallback):
    """The code is used, expired or of another integration; or, with ``field``, of another account."""


async def exchange(resources: Resources, keys: Keys, base_url: str, code: str, *, origin: str) -> OpenInstall:
    """Kommo's raw answer to the code, stored durably before it is parsed, even if the caller is cancelled.

    Raises ``KeysRefused``, ``CodeRefused`` and ``KommoUnreachable``.
    """

    async def to_the_end() -> OpenInstall:
        raw = await _exchanged(resources, keys, base_url, code)
        answer = await keep_answer(resources, keys.client_id, base_url, raw, origin=origin)
        await note_proof(resources, keys.client_id, keys)
        return answer

    task = asyncio.create_task(to_the_end())
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return await asyncio.shield(task)


async def finish_exchanges(seconds: float) -> None:
    """Wait at most ``seconds`` for this process's exchanges: Kommo's answer to an abandoned one would be lost."""
    if _under_way:
        await asyncio.wait(_under_way, timeout=seconds)


async def _exchanged(resources: Resources, keys: Keys, base_url: str, code: str) -> bytes:
    try:
        return await _asked_twice(resources, keys, base_url, code)
    except TokenRefused as error:
        await note_no(resources, keys, error.reason)
        raise _in_words(keys, base_url, error) from error
    except KommoError as error:
        raise KommoUnreachable(f"{error} Start again in a moment.") from error


def _in_words(keys: Keys, base_url: str, error: TokenRefused) -> BadCallback:
    """The error for people: each refusal with what to do about it."""
    match error.reason:
        case Refusal.CLIENT_ID:
            text = f"At {base_url} Kommo knows no integration {keys.client_id}. Compare its Integration ID."
            return KeysRefused(text, field="client_id")
        case Refusal.CLIENT_SECRET:
            text = f"At {base_url} Kommo does not accept the secret key. Copy it again from the integration"
            return KeysRefused(f"{text}, or make a new one there.", field="client_secret")
        case Refusal.REDIRECT_URI:
            return KeysRefused(same_address(keys), field="redirect_uri")
        case Refusal.ACCOUNT:
            text = f"The code does not belong to the account at {base_url}. Start again from the account that installs"
            return CodeRefused(f"{text} it; a code entered by hand needs that account's subdomain.", field="subdomain")
        case Refusal.NO_ACCOUNT:
            return CodeRefused(f"Kommo has no account at {base_url}.", field="subdomain")
        case Refusal.CODE_OF_OTHER:
            return CodeRefused("The code belongs to another integration. Copy the one next to this Integration ID.")
        case Refusal.CODE_EXPIRED:
            return CodeRefused("Kommo does not accept the code: it is older than 20 minutes. Start again.")
        case Refusal.CODE_USED:
            return CodeRefused("Kommo does not accept the code: it was used already. Start again.")
        case Refusal.CODE_UNREADABLE:
            return CodeRefused("Kommo does not accept the code: it is incomplete. Copy it again, or start again.")
        case Refusal.KEYS:
            return KeysRefused(_either(base_url), field="client_secret")
        case _:
            refused = "Kommo does not accept the code: it is used or older than 20 minutes. Start again."
            return CodeRefused(f"{refused} Kommo says: {error.hint}." if error.hint else refused)


def _either(base_url: str) -> str:
    """The sentence for a 401 without a hint, by which Kommo may refuse the key or the code."""
    return (
        f"At {base_url} Kommo does not accept the secret key, or the code is used or older than 20 minutes. "
        "Check that this is the account's address, copy the key again from the integration, and start again."
    )


async def _asked_twice(resources: Resources, keys: Keys, base_url: str, code: str) -> bytes:
    """Kommo's answer; after a lost one the code is tried once more, because Kommo may not have received it."""

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
