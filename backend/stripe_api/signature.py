"""The signature of a webhook, checked on the raw bytes before anything is parsed.

Stripe's scheme ``v1`` (https://docs.stripe.com/webhooks#verify-manually): HMAC-SHA256 over time stamp, dot and body.
The SDK's own check decodes the body and reads its own clock; the tests hold this one against it.
"""

import hmac
import json
from collections.abc import Iterable
from typing import Any

import orjson

TOLERANCE_SECONDS = 300
UNREADABLE = "the Stripe-Signature header is missing or malformed"


class BadWebhook(Exception):
    """Not a true, fresh, signed Stripe event; the text says which of these it is not."""


def verify(body: bytes, header: str, secrets: Iterable[str], now: float) -> None:
    """Returns if any of ``secrets`` signed ``body`` within 300 s of ``now``, both ways; else raises ``BadWebhook``."""
    if any(part.count("=") != 1 for part in header.split(",")):  # the SDK refuses these too
        raise BadWebhook(UNREADABLE)
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamp = _fresh([value for name, _, value in parts if name == "t"], now)
    signatures = [value for name, _, value in parts if name == "v1" and value.isascii()]
    signed = b"%s.%s" % (stamp.encode(), body)
    for secret in secrets:
        wanted = hmac.digest(secret.encode(), signed, "sha256").hex()
        if any(hmac.compare_digest(wanted, given) for given in signatures):
            return
    raise BadWebhook("no signature matches a signing secret of this endpoint")


def _fresh(stamps: list[str], now: float) -> str:
    """Both ways: the SDK lets a time stamp of tomorrow pass."""
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
        raise BadWebhook(UNREADABLE)
    if abs(now - int(stamps[0][:15])) > TOLERANCE_SECONDS:
        raise BadWebhook("the signature is older or newer than five minutes; check this server's clock")
    return stamps[0]


def read_event(body: bytes) -> dict[str, Any]:
    """A snapshot event as a plain dict with the keys we rely on, or ``BadWebhook``."""
    try:
        event = parse(body)
    except ValueError as error:
        raise BadWebhook("the body is not JSON") from error
    if not (
        isinstance(event, dict)
        and event.get("object") == "event"
        and _text(event.get("id"))
        and _text(event.get("type"))
        and isinstance(event.get("data"), dict)
        and isinstance(event["data"].get("object"), dict)
    ):
        raise BadWebhook("the body is not a Stripe event object")
    return event


def parse(body: bytes) -> Any:
    """Any JSON, or ``ValueError``. Half a character in somebody's name is legal there, though orjson refuses it."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return json.loads(body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _text(value: object) -> bool:
    """What a column of either database holds."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()
