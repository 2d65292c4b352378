"""The widget's token in ``X-Auth-Token``: it names the user of the deal card (docs/facts/kommo-api.md 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from backend.kommo_api.scalars import Unreadable, number, required, text, whole

LEEWAY = 60.0
_ALGORITHM = "HS256"
_REQUIRED = ["exp", "aud", "account_id", "client_uuid", "user_id"]
# Times are compared here with the caller's ``now``; the library would use the system clock.
_NO_CHECKS: dict[str, Any] = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


class BadWidgetToken(Exception):
    """The widget token is not valid; the message says why."""


@dataclass(frozen=True, slots=True)
class WidgetClaims:
    """The verified claims. ``is_admin`` is None if the token does not contain it, as in Kommo's sample.

    ``expires_at``: Unix seconds.
    """

    account_id: int
    user_id: int
    client_id: str
    subdomain: str
    is_admin: bool | None
    expires_at: float


def read_widget_token(
    token: str, *, secrets: Mapping[str, str], audiences: Mapping[str, str], now: float
) -> WidgetClaims:
    """The claims of a widget token, after checking signature, times and audience (docs/facts/kommo-api.md 4).

    ``secrets``: client id → secret; ``audiences``: client id → redirect URI; ``now``: Unix seconds. A token may be used
    many times until it expires, because Kommo's page caches it. Raises ``BadWidgetToken``.
    """
    client_id = named_client_id(token)
    if client_id not in secrets or client_id not in audiences:
        raise BadWidgetToken("The widget token belongs to an integration that is not connected here.")
    claims = _decoded(token, verify=True, key=secrets[client_id])
    try:
        said = _user(claims)
        check_not_expired(said, now)
        _check_begun(claims, now)
        _check_audience(claims["aud"], audiences[client_id])
    except Unreadable as error:
        raise BadWidgetToken(f"The widget token cannot be read: {error}.") from error
    return said


def named_client_id(token: str) -> str:
    """The client id that the token claims, not verified. Raises ``BadWidgetToken`` if the token cannot be decoded."""
    return text(_decoded(token, verify=False).get("client_uuid"))


def _decoded(token: str, *, verify: bool, key: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {"verify_signature": verify, "require": _REQUIRED, **_NO_CHECKS}
    try:
        return jwt.decode(token, key, algorithms=[_ALGORITHM], options=options)  # type: ignore[arg-type]
    except jwt.MissingRequiredClaimError as error:
        raise BadWidgetToken(f"The widget token lacks {error.claim}.") from error
    except jwt.InvalidSignatureError as error:
        raise BadWidgetToken("The widget token is not signed with this integration's secret key.") from error
    except jwt.PyJWTError as error:
        raise BadWidgetToken("The widget token is missing or is not a token signed by Kommo.") from error


def check_not_expired(claims: WidgetClaims, now: float) -> None:
    """Raise ``BadWidgetToken`` if the token has expired at ``now`` (Unix seconds)."""
    if claims.expires_at + LEEWAY <= now:
        raise BadWidgetToken("The widget token has expired. Reload the page.")


def _check_begun(claims: Mapping[str, Any], now: float) -> None:
    if any(float(number(claims.get(name) or 0)) - LEEWAY > now for name in ("nbf", "iat")):
        raise BadWidgetToken("The widget token is not valid yet. Check the server's clock.")


def _check_audience(given: Any, redirect_uri: str) -> None:
    """Kommo builds the audience from the redirect URI. Whether it keeps the port is unconfirmed, so both are accepted
    (docs/facts/kommo-api.md 4)."""
    parts = urlsplit(redirect_uri)
    ours = {f"{parts.scheme}://{parts.hostname}", f"{parts.scheme}://{parts.netloc}".lower()}
    named = given if isinstance(given, list) else [given]
    if not ours & {str(one).lower() for one in named}:
        raise BadWidgetToken("The widget token is meant for another address.")


def _user(claims: Mapping[str, Any]) -> WidgetClaims:
    said = claims.get("is_admin")
    return WidgetClaims(
        account_id=whole(claims["account_id"]),
        user_id=whole(claims["user_id"]),
        client_id=str(required(claims, "client_uuid")),
        subdomain=text(claims.get("subdomain")),
        is_admin=said if isinstance(said, bool) else None,
        expires_at=float(number(claims["exp"])),
    )
