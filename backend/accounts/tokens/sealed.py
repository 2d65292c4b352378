"""An account's token pair, sealed for its row, and the client that uses it."""

from functools import partial

import orjson

from backend.core import metrics
from backend.core.vault import CannotOpen
from backend.kommo_api.auth.tokens import TokenPair
from backend.kommo_api.client import KommoApi
from backend.resources import Resources
from backend.storage.models import Account


def tokens_row(account_id: int) -> str:
    """The row name for which an account's tokens are sealed."""
    return f"account:{account_id}:tokens"


def seal_pair(resources: Resources, account_id: int, pair: TokenPair) -> str:
    """The token pair, encrypted for the account's row."""
    tokens = {"access_token": pair.access_token, "refresh_token": pair.refresh_token}
    return resources.vault.seal_text(orjson.dumps(tokens).decode(), tokens_row(account_id))


def open_pair(resources: Resources, account: Account) -> TokenPair:
    """The account's token pair. Raises ``CannotOpen`` if SECRET_KEYS cannot decrypt it."""
    kept = orjson.loads(resources.vault.open_text(account.tokens, tokens_row(account.id)))
    return TokenPair(kept["access_token"], kept["refresh_token"], account.token_expires_at)


def opens(resources: Resources, account: Account) -> bool:
    """True if SECRET_KEYS can decrypt the account's tokens; otherwise the account must be connected again."""
    try:
        open_pair(resources, account)
    except CannotOpen:
        return False
    return True


def api_of(resources: Resources, account: Account, *, base_url: str = "") -> KommoApi:
    """A Kommo client with the account's current access token, at its host or at ``base_url``. Raises ``CannotOpen``."""
    return KommoApi(
        resources.kommo_http,
        base_url or account.base_url,
        open_pair(resources, account).access_token,
        partial(resources.turn, account.id),
        on_answer=metrics.kommo_answered,
    )
