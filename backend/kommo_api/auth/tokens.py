"""The token pair of Kommo's token endpoint, and the claims of an access token (docs/facts/kommo-api.md 2)."""

import json
from dataclasses import dataclass, field
from typing import Any

import jwt

from backend.kommo_api.errors import KommoUnavailable
from backend.kommo_api.scalars import Unreadable, number, required, row, text, whole


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and its refresh token. ``expires_at``: Unix seconds by our own clock."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float


def parse_pair(raw: bytes, now: float) -> TokenPair:
    """The token pair in the raw answer of the token endpoint; ``now`` in Unix seconds.

    Raises a doubtful ``KommoUnavailable`` for anything but a complete pair: the code or refresh token was used.
    """
    try:
        answer = row(json.loads(raw))
        return TokenPair(
            access_token=str(required(answer, "access_token")),
            refresh_token=str(required(answer, "refresh_token")),
            expires_at=now + float(number(required(answer, "expires_in"))),
        )
    except ValueError as error:  # bad JSON or ``Unreadable``; the message must not quote the text: it may hold a token
        raise KommoUnavailable("the answer holds no whole pair of tokens", doubtful=True) from error


def token_account_id(access_token: str) -> int | None:
    """The account id in the access token, or None. A hint: Kommo publishes no key to verify the token."""
    try:
        return whole(_claims(access_token).get("account_id"))
    except Unreadable:
        return None


def token_expires_at(access_token: str) -> float | None:
    """The expiry in the access token, in Unix seconds, or None. A hint: the token is not verified."""
    try:
        return float(number(required(_claims(access_token), "exp")))
    except ValueError:
        return None


def token_user_id(access_token: str) -> int | None:
    """The id of the user who authorized the access, with whose rights we act, or None. A hint: not verified."""
    try:
        return whole(_claims(access_token).get("sub"))
    except Unreadable:
        return None


def token_api_domain(access_token: str) -> str | None:
    """The API host in the access token, which knows a moved account's new address, or None.

    A hint: the token is not verified. Check the host with ``kommo_host`` before use.
    """
    return text(_claims(access_token).get("api_domain")) or None


def _claims(access_token: str) -> dict[str, Any]:
    try:
        return jwt.decode(access_token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
