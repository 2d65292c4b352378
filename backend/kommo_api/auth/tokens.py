"""The pair that Kommo's token endpoint gives, and what an access token tells about itself."""

import json
from dataclasses import dataclass, field
from typing import Any

import jwt

from backend.kommo_api.errors import KommoUnavailable
from backend.kommo_api.scalars import Unreadable, number, required, row, text, whole


@dataclass(frozen=True, slots=True)
class TokenPair:
    """``expires_at``: Unix seconds by our own clock."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float


def parse_pair(raw: bytes, now: float) -> TokenPair:
    """Raises ``KommoUnavailable`` (doubtful: the grant was used) for anything but a whole pair."""
    try:
        answer = row(json.loads(raw))
        return TokenPair(
            access_token=str(required(answer, "access_token")),
            refresh_token=str(required(answer, "refresh_token")),
            expires_at=now + float(number(required(answer, "expires_in"))),
        )
    except ValueError as error:  # both of JSON and ``Unreadable``; neither may tell the text, it may hold a token
        raise KommoUnavailable("the answer holds no whole pair of tokens", doubtful=True) from error


def token_account_id(access_token: str) -> int | None:
    """A hint only: Kommo publishes no key to verify this by."""
    try:
        return whole(_claims(access_token).get("account_id"))
    except Unreadable:
        return None


def token_expires_at(access_token: str) -> float | None:
    """When the token is over by its own word, in Unix seconds. A hint only."""
    try:
        return float(number(required(_claims(access_token), "exp")))
    except ValueError:
        return None


def token_user_id(access_token: str) -> int | None:
    """Who allowed the access, by whose rights everything is done. A hint only."""
    try:
        return whole(_claims(access_token).get("sub"))
    except Unreadable:
        return None


def token_api_domain(access_token: str) -> str | None:
    """The host that knows where the account went; check it with ``kommo_host``. A hint only."""
    return text(_claims(access_token).get("api_domain")) or None


def _claims(access_token: str) -> dict[str, Any]:
    try:
        return jwt.decode(access_token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
