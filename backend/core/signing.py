"""Short-lived signed texts (the OAuth state, the mark of a preview), and random ids."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from typing import Any

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from backend.core.clock import Clock

STATE_SECONDS = 3600
"""The lifetime of an OAuth state: an admin may read Kommo's consent page slowly."""
PREVIEW_SECONDS = 120
"""The lifetime of a preview mark: the browser follows *Open* at once, and waits up to 30 seconds for a slow Stripe."""
SIGNATURE = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
"""The signature's algorithm; the library's default is SHA-1."""


class BadState(Exception):
    """The text was not signed by us for this purpose, was changed, or is too old."""


class TimedSigner:
    """Signs values for one purpose (``salt``) and reads them until they are ``seconds`` old."""

    def __init__(self, keys: Sequence[str], clock: Clock, *, salt: str, seconds: int) -> None:
        class _Clocked(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock())

        self._serializer = URLSafeTimedSerializer(
            list(reversed(keys)), salt=salt, signer=_Clocked, signer_kwargs=SIGNATURE
        )
        self._seconds = seconds

    def sign(self, value: dict[str, Any]) -> str:
        """Return the value as signed text that is safe in a URL."""
        return self._serializer.dumps(value)

    def read(self, text: str) -> dict[str, Any]:
        """Return the value of a signed text. Raises ``BadState`` if it was changed, is too old or is for another
        purpose.
        """
        try:
            value: dict[str, Any] = self._serializer.loads(text, max_age=self._seconds)
        except BadSignature as error:
            raise BadState(str(error)) from error
        return value


def link_token(randomness: Callable[[int], bytes] = os.urandom) -> str:
    """Return 16 base32 characters, 80 random bits: short enough to read out, too many to guess."""
    return base64.b32encode(randomness(10)).decode().lower()


def opaque_id(randomness: Callable[[int], bytes] = os.urandom) -> str:
    """Return 32 base32 characters, 160 random bits: a secret, or an id that people never type."""
    return base64.b32encode(randomness(20)).decode().lower()


def same_secret(given: str, expected: str) -> bool:
    """True if the secrets are equal; compared in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
