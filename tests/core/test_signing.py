"""The signature of an OAuth state, and how much chance is in what nobody may guess."""

import base64
import hashlib

import pytest
from itsdangerous import URLSafeTimedSerializer

from backend.core.signing import BadState, TimedSigner, link_token, opaque_id
from sandbox.clock import MovableClock

KEY = "a key of the tests"


def _signer(keys: list[str], salt: str = "oauth state") -> TimedSigner:
    return TimedSigner(keys, MovableClock(), salt=salt, seconds=60)


def test_a_state_is_signed_by_sha_256_and_by_nothing_weaker() -> None:
    signer = _signer([KEY])
    state = signer.sign({"client_id": "x"})
    signature = state.rpartition(".")[2]
    assert len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))) == hashlib.sha256().digest_size
    assert signer.read(state) == {"client_id": "x"}
    weak = URLSafeTimedSerializer([KEY], salt="oauth state").dumps({"client_id": "x"})
    with pytest.raises(BadState):
        signer.read(weak)


def test_a_state_of_an_older_key_is_read_until_the_key_goes() -> None:
    state = _signer(["the older key"]).sign({})
    assert _signer([KEY, "the older key"]).read(state) == {}
    with pytest.raises(BadState):
        _signer([KEY]).read(state)


def test_what_was_signed_for_one_purpose_is_read_for_no_other() -> None:
    with pytest.raises(BadState):
        _signer([KEY], "preview").read(_signer([KEY]).sign({}))


def test_a_secret_has_at_least_128_random_bits_and_a_link_80() -> None:
    asked: list[int] = []

    def randomness(count: int) -> bytes:
        asked.append(count * 8)
        return bytes(range(count))

    secret, link = opaque_id(randomness), link_token(randomness)
    assert asked == [160, 80]
    assert [len(base64.b32decode(text.upper())) * 8 for text in (secret, link)] == asked
    assert len({opaque_id() for _ in range(1000)}) == 1000
