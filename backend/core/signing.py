"""Short-lived signed texts (the OAuth state, the mark of a preview), and the ids we make."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from typing import Any

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from backend.core.clock import Clock

STATE_SECONDS = 3600
"""An admin may read Kommo's consent page slowly; a state older than an hour is refused."""
PREVIEW_SECONDS = 120
"""A representative's *Open* is followed at once; the slowest Stripe is waited for 30 seconds."""
SIGNATURE = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
"""The library's own choice is SHA-1."""


class BadState(Exception):
    """The text was not made by us for this purpose, was changed, or is too old."""


class TimedSigner:
    """Signs values for one purpose, ``salt``, and reads them while they are younger than ``seconds``."""

    def __init__(self, keys: Sequence[str], clock: Clock, *, salt: str, seconds: int) -> None:
        class _Clocked(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock())

        self._serializer = URLSafeTimedSerializer(
            list(reversed(keys)), salt=salt, signer=_Clocked, signer_kwargs=SIGNATURE
        )
        self._seconds = seconds

    def sign(self, value: dict[str, Any]) -> str:
        return self._serializer.dumps(value)

    def read(self, text: str) -> dict[str, Any]:
        try:
            value: dict[str, Any] = self._serializer.loads(text, max_age=self._seconds)
        except BadSignature as error:
            raise BadState(str(error)) from error
        return value


def link_token(randomness: Callable[[int], bytes] = os.urandom) -> str:
    """Sixteen base32 characters, 80 random bits: short enough to read out, too many to guess."""
    return base64.b32encode(randomness(10)).decode().lower()


def opaque_id(randomness: Callable[[int], bytes] = os.urandom) -> str:
    """Thirty-two base32 characters, 160 random bits: an id that nobody needs to read, or a secret."""
    return base64.b32encode(randomness(20)).decode().lower()


def same_secret(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
