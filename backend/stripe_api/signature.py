"""The signature of a webhook, checked on the raw bytes before anything is parsed."""

import json
from collections.abc import Iterable
from typing import Any

import orjson
from stripe import SignatureVerificationError, WebhookSignature

TOLERANCE_SECONDS = 300


class BadWebhook(Exception):
    """Not a true, fresh, signed Stripe event; the text says which of these it is not."""


def verify(body: bytes, header: str, secrets: Iterable[str], now: float) -> None:
    """True if any of ``secrets`` signed ``body`` within 300 s of ``now``, both ways; else ``BadWebhook``."""
    _check_age(header, now)
    try:
        payload = body.decode()
    except UnicodeDecodeError as error:
        raise BadWebhook("the body is not UTF-8") from error
    if not any(_signed_by(payload, header, secret) for secret in secrets):
        raise BadWebhook("no signature matches a signing secret of this endpoint")


def _signed_by(payload: str, header: str, secret: str) -> bool:
    try:
        WebhookSignature.verify_header(payload, header, secret, tolerance=None)
    except (SignatureVerificationError, TypeError):  # TypeError: a signature that is not ASCII
        return False
    return True


def _check_age(header: str, now: float) -> None:
    """Both ways: the SDK lets a time stamp of tomorrow pass, and reads its own clock."""
    stamps = [part.partition("=")[2] for part in header.split(",") if part.strip().startswith("t=")]
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
        raise BadWebhook("the Stripe-Signature header is missing or malformed")
    if abs(now - int(stamps[0][:15])) > TOLERANCE_SECONDS:
        raise BadWebhook("the signature is older or newer than five minutes; check this server's clock")


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
