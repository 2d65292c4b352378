"""Exchanges a code for Kommo's answer, stored before it is parsed; explains each refusal with what to do."""

import asyncio

from backend.accounts.install.pending import OpenInstall, keep_answer
from backend.accounts.integrations import Keys, same_address
from backend.accounts.tokens.proofs import note_no, note_proof
from backend.core.errors import BadCallback, KommoUnreachable
from backend.core.sentences.said import said, together
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
        raise KommoUnreachable(together(str(error), said("start_again_soon"))) from error


def _in_words(keys: Keys, base_url: str, error: TokenRefused) -> BadCallback:
    """The error for people: each refusal with what to do about it."""
    match error.reason:
        case Refusal.CLIENT_ID:
            text = said("integration_not_at_kommo", address=base_url, id=keys.client_id)
            return KeysRefused(text, field="client_id")
        case Refusal.CLIENT_SECRET:
            return KeysRefused(said("secret_refused", address=base_url), field="client_secret")
        case Refusal.REDIRECT_URI:
            return KeysRefused(same_address(keys), field="redirect_uri")
        case Refusal.ACCOUNT:
            return CodeRefused(said("code_of_other_account", address=base_url), field="subdomain")
        case Refusal.NO_ACCOUNT:
            return CodeRefused(said("no_account_at", address=base_url), field="subdomain")
        case Refusal.CODE_OF_OTHER:
            return CodeRefused(said("code_of_other_integration"))
        case Refusal.CODE_EXPIRED:
            return CodeRefused(said("code_expired"))
        case Refusal.CODE_USED:
            return CodeRefused(said("code_used"))
        case Refusal.CODE_UNREADABLE:
            return CodeRefused(said("code_incomplete"))
        case Refusal.KEYS:
            return KeysRefused(said("key_or_code_refused", address=base_url), field="client_secret")
        case _:
            hint = said("kommo_says", hint=error.hint) if error.hint else ""
            return CodeRefused(together(said("code_refused"), hint))


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
