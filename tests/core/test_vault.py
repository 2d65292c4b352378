"""Secrets at rest."""

import pytest

from backend.core.vault import CannotOpen, Vault

OLD, NEW = "an old key of the past", "a new key of the day"


def test_what_was_sealed_opens_for_the_same_row() -> None:
    vault = Vault([NEW])
    assert vault.open_text(vault.seal_text("sk_made_up", "account:1:tokens"), "account:1:tokens") == "sk_made_up"


def test_a_sealed_text_does_not_open_in_another_row() -> None:
    vault = Vault([NEW])
    with pytest.raises(CannotOpen):
        vault.open_text(vault.seal_text("sk_made_up", "account:1:tokens"), "account:2:tokens")


def test_an_older_key_still_opens_and_the_newest_seals() -> None:
    sealed = Vault([OLD]).seal(b"x", "row")
    assert Vault([NEW, OLD]).open(sealed, "row") == b"x"
    with pytest.raises(CannotOpen):
        Vault([OLD]).open(Vault([NEW, OLD]).seal(b"x", "row"), "row")


def test_the_secret_does_not_show_in_the_sealed_bytes() -> None:
    assert b"canary" not in Vault([NEW]).seal(b"canary" * 5, "row")


def test_a_changed_byte_is_noticed() -> None:
    sealed = bytearray(Vault([NEW]).seal(b"x", "row"))
    sealed[-1] ^= 1
    with pytest.raises(CannotOpen):
        Vault([NEW]).open(bytes(sealed), "row")


@pytest.mark.parametrize("kept", [0, 5, 11, 12, 20, -1])
def test_a_secret_that_was_cut_short_cannot_be_opened(kept: int) -> None:
    vault = Vault(["key"])
    with pytest.raises(CannotOpen, match="account:7"):
        vault.open_text(vault.seal_text("secret", "account:7")[:kept], "account:7")
    with pytest.raises(CannotOpen, match="account:7"):
        vault.renewed(vault.seal(b"secret", "account:7")[:kept], "account:7")
