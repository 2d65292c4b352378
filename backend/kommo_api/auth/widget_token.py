"""``X-Auth-Token``: who presses the button in the deal card (docs/facts/kommo-api.md 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from backend.kommo_api.scalars import Unreadable, number, required, text, whole

LEEWAY = 60.0
_ALGORITHM = "HS256"
_REQUIRED = ["exp", "aud", "account_id", "client_uuid", "user_id"]
# Times are compared here, with the ``now`` that is given; the library would ask the system's clock.
_NO_CHECKS: dict[str, Any] = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


class BadWidgetToken(Exception):
    """The widget's token is not valid; the sentence says why."""


@dataclass(frozen=True, slots=True)
class WidgetClaims:
    """``is_admin`` is ``None`` where the token does not say: Kommo's sample does not."""

    account_id: int
    user_id: int
    client_id: str
    subdomain: str
    is_admin: bool | None


def read_widget_token(
    token: str, *, secrets: Mapping[str, str], audiences: Mapping[str, str], now: float
) -> WidgetClaims:
    """``secrets``: client id → secret; ``audiences``: client id → redirect URI; ``now``: Unix seconds.

    Kommo's page uses one token for many calls, so it is good until it expires. Raises ``BadWidgetToken``.
    """
    client_id = named_client_id(token)
    if client_id not in secrets or client_id not in audiences:
        raise BadWidgetToken("The widget's token is of an integration that is not connected here.")
    claims = _decoded(token, verify=True, key=secrets[client_id])
    try:
        _check_times(claims, now)
        _check_audience(claims["aud"], audiences[client_id])
        return _user(claims)
    except Unreadable as error:
        raise BadWidgetToken(f"The widget's token can't be read: {error}.") from error


def named_client_id(token: str) -> str:
    """The integration that the token says it is of, before anything is proven."""
    return text(_decoded(token, verify=False).get("client_uuid"))


def _decoded(token: str, *, verify: bool, key: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {"verify_signature": verify, "require": _REQUIRED, **_NO_CHECKS}
    try:
        return jwt.decode(token, key, algorithms=[_ALGORITHM], options=options)  # type: ignore[arg-type]
    except jwt.MissingRequiredClaimError as error:
        raise BadWidgetToken(f"The widget's token lacks {error.claim}.") from error
    except jwt.InvalidSignatureError as error:
        raise BadWidgetToken("The widget's token is not signed with this integration's secret key.") from error
    except jwt.PyJWTError as error:
        raise BadWidgetToken("The widget's token is missing or no signed token of Kommo.") from error


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    if float(number(claims["exp"])) + LEEWAY <= now:
        raise BadWidgetToken("The widget's token has expired: reload the page.")
    if any(float(number(claims.get(name) or 0)) - LEEWAY > now for name in ("nbf", "iat")):
        raise BadWidgetToken("The widget's token is of the future: a clock is wrong.")


def _check_audience(given: Any, redirect_uri: str) -> None:
    """Kommo builds it from the redirect URI; with or without the port is in doubt, so both are ours."""
    parts = urlsplit(redirect_uri)
    ours = {f"{parts.scheme}://{parts.hostname}", f"{parts.scheme}://{parts.netloc}".lower()}
    named = given if isinstance(given, list) else [given]
    if not ours & {str(one).lower() for one in named}:
        raise BadWidgetToken("The widget's token is meant for another address.")


def _user(claims: Mapping[str, Any]) -> WidgetClaims:
    said = claims.get("is_admin")
    return WidgetClaims(
        account_id=whole(claims["account_id"]),
        user_id=whole(claims["user_id"]),
        client_id=str(required(claims, "client_uuid")),
        subdomain=text(claims.get("subdomain")),
        is_admin=said if isinstance(said, bool) else None,
    )
