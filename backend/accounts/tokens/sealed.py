"""An account's pair of tokens, sealed for its row, and the calls that are made with it."""

from functools import partial

import orjson

from backend.core import metrics
from backend.core.vault import CannotOpen
from backend.kommo_api.auth.tokens import TokenPair
from backend.kommo_api.client import KommoApi
from backend.resources import Resources
from backend.storage.models import Account


def tokens_row(account_id: int) -> str:
    return f"account:{account_id}:tokens"


def seal_pair(resources: Resources, account_id: int, pair: TokenPair) -> str:
    tokens = {"access_token": pair.access_token, "refresh_token": pair.refresh_token}
    return resources.vault.seal_text(orjson.dumps(tokens).decode(), tokens_row(account_id))


def open_pair(resources: Resources, account: Account) -> TokenPair:
    kept = orjson.loads(resources.vault.open_text(account.tokens, tokens_row(account.id)))
    return TokenPair(kept["access_token"], kept["refresh_token"], account.token_expires_at)


def opens(resources: Resources, account: Account) -> bool:
    """Whether one of SECRET_KEYS opens the account's tokens; where none does, connecting again is a way on."""
    try:
        open_pair(resources, account)
    except CannotOpen:
        return False
    return True


def api_of(resources: Resources, account: Account, *, base_url: str = "") -> KommoApi:
    """Kommo by the account's present access token, at its host or at ``base_url``."""
    return KommoApi(
        resources.kommo_http,
        base_url or account.base_url,
        open_pair(resources, account).access_token,
        partial(resources.turn, account.id),
        on_answer=metrics.kommo_answered,
    )
