"""Verify a webhook's signature on the raw bytes, before anything is parsed.

Stripe's scheme ``v1`` (https://docs.stripe.com/webhooks#verify-manually): HMAC-SHA256 over timestamp, dot and body. The
SDK's own check decodes the body and reads its own clock; the tests compare this one with it.
"""

import hmac
import json
from collections.abc import Iterable
from typing import Any

import orjson

TOLERANCE_SECONDS = 300
UNREADABLE = "the Stripe-Signature header is missing or malformed"


class BadWebhook(Exception):
    """The request is not a valid, recent, signed Stripe event; the text says what is wrong."""


def verify(body: bytes, header: str, secrets: Iterable[str], now: float) -> None:
    """Return if one of ``secrets`` signed ``body`` at most 300 s before or after ``now`` (epoch seconds).

    Raises ``BadWebhook`` otherwise. ``header`` is the value of ``Stripe-Signature``.
    """
    parts = [part.strip().split("=") for part in header.split(",")]
    if any(len(part) != 2 for part in parts):  # the SDK refuses these too
        raise BadWebhook(UNREADABLE)
    stamp = _fresh([value for name, value in parts if name == "t"], now)
    signatures = [value for name, value in parts if name == "v1" and value.isascii()]
    signed = b"%s.%s" % (stamp.encode(), body)
    for secret in secrets:
        wanted = hmac.digest(secret.encode(), signed, "sha256").hex()
        if any(hmac.compare_digest(wanted, given) for given in signatures):
            return
    raise BadWebhook("no signature matches a signing secret of this endpoint")


def _fresh(stamps: list[str], now: float) -> str:
    """Return the timestamp if it is recent. The SDK accepts one from the future, we don't (docs/facts/stripe.md A3)."""
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
        raise BadWebhook(UNREADABLE)
    if abs(now - int(stamps[0][:15])) > TOLERANCE_SECONDS:
        raise BadWebhook("the signature is older or newer than five minutes; check this server's clock")
    return stamps[0]


def read_event(body: bytes) -> dict[str, Any]:
    """Return a snapshot event as a dict, with id, type and ``data.object`` checked. Raises ``BadWebhook``."""
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
    """Return any JSON value. Raises ``ValueError``. A lone surrogate in a text is legal
    JSON, though orjson refuses it."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return json.loads(body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _text(value: object) -> bool:
    """True for a text that a column of both databases can hold."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()
