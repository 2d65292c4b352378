"""Signed webhooks in any number, each with an id of its own."""

import itertools
import time

import orjson
from stripe import WebhookSignature

from bench.rig.load import post

SECRET = "whsec_of_the_benchmark"  # noqa: S105
_numbers = itertools.count()


def webhooks(count: int, path: str, secret: str = SECRET, *, livemode: bool = False, **marks: str) -> list[bytes]:
    """Requests of 3 kB. ``marks``: metadata of the payment."""
    return [_webhook(next(_numbers), path, secret, livemode, marks) for _ in range(count)]


def _webhook(number: int, path: str, secret: str, livemode: bool, marks: dict[str, str]) -> bytes:
    now = int(time.time())
    intent = {"id": f"pi_{number}", "object": "payment_intent", "status": "succeeded", "amount": 100, "created": now,
              "amount_received": 100, "currency": "usd", "metadata": marks, "fill": "x" * 2700}  # fmt: skip
    event = {"id": f"evt_{number}", "object": "event", "type": "payment_intent.succeeded", "created": now,
             "livemode": livemode, "data": {"object": intent}}  # fmt: skip
    body = orjson.dumps(event)
    header = WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=now)
    return post(path, body, stripe_signature=header)
