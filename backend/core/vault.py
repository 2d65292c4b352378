"""Secrets at rest: encrypted with AES-256-GCM under a key from ``SECRET_KEYS`` and bound to their row.

A ciphertext copied to another row does not decrypt there, so a copied column reveals nothing. The newest key encrypts
and every listed key decrypts, so rotation only means encrypting again.
"""

import base64
import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class CannotOpen(Exception):
    """A value can't be decrypted: its key is missing from SECRET_KEYS, or the row was tampered with."""


class Vault:
    """Encrypts and decrypts values with the keys of ``SECRET_KEYS``, newest first."""

    def __init__(self, keys: Sequence[str], randomness: Callable[[int], bytes] = os.urandom) -> None:
        self._ciphers = [AESGCM(_derive(key)) for key in keys]
        self._randomness = randomness

    def seal(self, secret: bytes, row: str) -> bytes:
        """Return the encrypted secret. ``row`` names table, key and column it is bound to,
        such as ``account:42:tokens``."""
        nonce = self._randomness(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, secret, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes:
        """Return the decrypted secret. Raises ``CannotOpen``."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], row.encode())
            except (InvalidTag, ValueError):  # ValueError: what was stored was cut short
                continue
        raise CannotOpen(f"{row}: no key in SECRET_KEYS opens it; put back the key that was in use when it was stored")

    def renewed(self, sealed: bytes, row: str) -> bytes | None:
        """Return the secret encrypted with the newest key; None if it is already. Raises ``CannotOpen``."""
        secret = self.open(sealed, row)
        try:
            self._ciphers[0].decrypt(sealed[:_NONCE], sealed[_NONCE:], row.encode())
        except InvalidTag:
            return self.seal(secret, row)
        return None

    def seal_text(self, secret: str, row: str) -> str:
        """Return the encrypted text in base64, see ``seal``."""
        return base64.b64encode(self.seal(secret.encode(), row)).decode()

    def renewed_text(self, sealed: str, row: str) -> str | None:
        """Return the base64 text encrypted with the newest key; None if it is already. Raises ``CannotOpen``."""
        renewed = self.renewed(_decoded(sealed), row)
        return None if renewed is None else base64.b64encode(renewed).decode()

    def open_text(self, sealed: str, row: str) -> str:
        """Return the decrypted text of a base64 ciphertext. Raises ``CannotOpen``."""
        return self.open(_decoded(sealed), row).decode()


def _decoded(sealed: str) -> bytes:
    """The bytes of a base64 text; of one that is damaged none, which nothing opens."""
    try:
        return base64.b64decode(sealed)
    except ValueError:
        return b""


def _derive(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kommo-stripe vault").derive(key.encode())
