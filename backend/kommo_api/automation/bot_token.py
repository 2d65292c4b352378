"""The request of a Salesbot step and its token, which proves the sender (docs/facts/kommo-automation.md 2.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson

from backend.core.ids import usable_number
from backend.kommo_api.automation.brackets import BadBrackets, nested
from backend.kommo_api.hooks import LARGEST_ID, LEAD
from backend.kommo_api.scalars import Row, Unreadable, number, row, text

LEEWAY = 60.0
LONGEST_TOKEN = 4_096
ALGORITHMS = ["HS512", "HS256"]
"""Real tokens are HS512; tests of other integrations use HS256."""
_CONTINUE = re.compile(r"/api/v4/(?:salesbot|marketingbot)/[0-9]{1,19}/continue/[A-Za-z0-9_-]{1,64}")
_NO_CHECKS: dict[str, Any] = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
_REQUIRED = ["exp", "account_id", "entity_type", "entity_id"]


class BadBotToken(Exception):
    """The step's request is not proven to come from Kommo; the message says why."""


@dataclass(frozen=True, slots=True)
class BotRequest:
    """The parsed request of a step. Nothing in it is proven before ``read_bot_token`` has verified ``token``."""

    token: str
    return_url: str
    data: Row


@dataclass(frozen=True, slots=True)
class BotClaims:
    """The verified claims of a step's token; ``lead_id`` is the deal that the bot runs for."""

    account_id: int
    client_id: str
    lead_id: int


def bot_request(body: bytes) -> BotRequest | None:
    """The request in ``body``, or None if it is not one. Accepts JSON and forms, whatever the content type says."""
    try:
        said = row(orjson.loads(body)) if body.lstrip()[:1] == b"{" else nested(body)
    except (ValueError, BadBrackets):
        return None
    token, address = said.get("token"), said.get("return_url")
    if not isinstance(token, str) or not isinstance(address, str) or len(token) > LONGEST_TOKEN:
        return None
    return BotRequest(token, address, _data(said.get("data")))


def _data(given: Any) -> Row:
    """The JSON object, also when it is sent as text."""
    if not isinstance(given, str):
        return row(given)
    try:
        return row(orjson.loads(given))
    except ValueError:
        return {}


def named_client(token: str) -> str:
    """The client id that the token claims, not verified; '' if it names none. Raises ``BadBotToken``."""
    said = _decoded(token, verify=False)
    return text(said.get("client_uuid") or said.get("client_uid"))


def read_bot_token(token: str, *, secret: str, client_id: str, now: float) -> BotClaims:
    """The claims, verified with the integration's secret; ``now`` in Unix seconds. Raises ``BadBotToken``.

    The token must be of a deal and valid at ``now``, give or take 60 seconds (docs/facts/kommo-automation.md 2.3).
    """
    said = _decoded(token, verify=True, key=secret)
    try:
        if float(number(said["exp"])) + LEEWAY <= now:
            raise BadBotToken("The step's token has expired.")
        if any(float(number(said.get(name) or 0)) - LEEWAY > now for name in ("nbf", "iat")):
            raise BadBotToken("The step's token is not valid yet.")
    except Unreadable as error:
        raise BadBotToken("The step's token cannot be read.") from error
    if text(said["entity_type"]) not in (str(LEAD), "lead", "leads"):
        raise BadBotToken("The bot does not run for a deal.")
    return BotClaims(_id(said["account_id"]), client_id, _id(said["entity_id"]))


def _id(given: Any) -> int:
    found = None if isinstance(given, bool | float) else usable_number(str(given))
    if found is None or found > LARGEST_ID:
        raise BadBotToken("The step's token names no account or no deal.")
    return found


def _decoded(token: str, *, verify: bool, key: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {"verify_signature": verify, "require": _REQUIRED, **_NO_CHECKS}
    try:
        return jwt.decode(token, key, algorithms=ALGORITHMS, options=options)  # type: ignore[arg-type]
    except (jwt.PyJWTError, RecursionError) as error:
        raise BadBotToken("The step's token is not signed by this integration.") from error


def continue_path(return_url: str, base_url: str) -> str | None:
    """The path that resumes the bot, or None if ``return_url`` is not at the account's own address.

    An administrator's token is sent to this path: scheme, host and port must equal those of ``base_url``, and the path
    must be one of Kommo's (docs/facts/kommo-automation.md 2.4).
    """
    if not return_url.isascii() or not return_url.isprintable() or "\\" in return_url:
        return None
    try:
        asked, own = urlsplit(return_url), urlsplit(base_url)
        same = (asked.scheme, asked.netloc.lower()) == (own.scheme, own.netloc.lower())
    except ValueError:
        return None
    plain = not (asked.query or asked.fragment or asked.username or "?" in return_url or "#" in return_url)
    return asked.path if same and plain and _CONTINUE.fullmatch(asked.path) else None


def goes_on(data: Mapping[str, str], step: int) -> dict[str, Any]:
    """The body that resumes the bot at ``step``; the bot's later blocks read ``data`` as ``{{json.…}}``.

    Kommo demands at least one handler in practice, so the bot is sent to the step that reads the data
    (docs/facts/kommo-automation.md 2.4).
    """
    goto = {"handler": "goto", "params": {"type": "question", "step": step}}
    return {"data": dict(data), "execute_handlers": [goto]}
