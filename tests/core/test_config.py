"""Settings: checked as they load, and each problem named."""

from pathlib import Path
from typing import Any

import pytest

from backend.core.config import BadSettings, read_settings

GOOD = {
    "public_url": "https://pay.example.com",
    "secret_keys": "a key of some length",
    "admin_token": "made-up-token-20-lg!",
}


def _read(monkeypatch: pytest.MonkeyPatch, **given: Any) -> Any:
    for name in ("PUBLIC_URL", "SECRET_KEYS", "ADMIN_TOKEN", "KOMMO_CLIENT_ID", "KOMMO_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return read_settings(env_file=None, **(GOOD | given))


def test_the_three_required_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _read(monkeypatch)
    assert settings.redirect_uri == "https://pay.example.com/oauth/kommo/callback"


def test_each_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PUBLIC_URL", "SECRET_KEYS", "ADMIN_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadSettings) as refusal:
        read_settings(env_file=None)
    assert all(name in str(refusal.value) for name in ("PUBLIC_URL", "SECRET_KEYS", "ADMIN_TOKEN"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_url", "http://pay.example.com"),
        ("public_url", "pay.example.com"),
        ("secret_keys", "short"),
        ("secret_keys", ""),
        ("admin_token", "nineteen-characters"),
        ("trusted_proxies", "10.0.0.7,everybody"),
        ("paid_stages", "won,1:2"),
        ("kommo_rate", 7),
        ("port", 0),
        ("log_format", "xml"),
        ("settle_seconds", -1),
        ("database_url", "nonsense"),
        ("database_url", "sqlite:///./x.db"),
        ("database_url", "postgres://user:secret@host/name"),
        ("database_url", "postgresql+psycopg://user:secret@host:port/name"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    with pytest.raises(BadSettings, match=name.upper()) as refusal:
        _read(monkeypatch, **{name: value})
    assert "secret@" not in str(refusal.value)


def test_plain_http_is_for_a_loopback_host_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(monkeypatch, public_url="http://127.0.0.1:8000/").public_url == "http://127.0.0.1:8000"


def test_a_client_id_needs_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings, match="KOMMO_CLIENT_SECRET"):
        _read(monkeypatch, kommo_client_id="made-up")


def test_stages_are_pairs_or_won(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(monkeypatch, paid_stages="1:142, 2:143").paid_stages == [(1, 142), (2, 143)]
    assert _read(monkeypatch, paid_stages="won").paid_stages == "won"
    assert _read(monkeypatch, paid_stages="").paid_stages == []


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "canary" not in repr(
        _read(monkeypatch, stripe_api_key="sk_test_canary", admin_token="canary-token-20-chars")
    )


def test_a_dotenv_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PUBLIC_URL", "SECRET_KEYS", "ADMIN_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    env = tmp_path / ".env"
    env.write_text(
        "PUBLIC_URL=https://a.example\nSECRET_KEYS=first key of two,second key of two\n"
        "ADMIN_TOKEN=a-token-of-20-letter\n"
    )
    assert read_settings(env_file=env).keys == ["first key of two", "second key of two"]


def test_proxies_are_read_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(monkeypatch).trusted_proxies == []
    assert _read(monkeypatch, trusted_proxies="10.0.0.7, 10.1.0.0/16").trusted_proxies == ["10.0.0.7", "10.1.0.0/16"]


@pytest.mark.parametrize("blank", ["\n", "\r\n", " ", "\t", "\u00a0", "\ufeff", "\u200b"])
def test_blanks_and_line_ends_around_any_setting_are_passed_over(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    """A Kubernetes secret made from a file ends in a line end."""
    given = GOOD | {
        "kommo_client_id": "id",
        "kommo_client_secret": "secret",
        "kommo_long_lived_token": "token",
        "kommo_subdomain": "acme",
        "kommo_redirect_uri": "https://pay.example.com/oauth",
        "stripe_api_key": "rk_live_1",
        "stripe_webhook_secret": "whsec_1",
        "database_url": "sqlite+aiosqlite:///./x.db",
        "paid_stages": "1:2",
        "host": "localhost",
        "port": "8000",
        "kommo_rate": "6.0",
        "log_format": "json",
    }
    plain = _read(monkeypatch, **given)
    assert _read(monkeypatch, **{name: f"{blank}{value}{blank}" for name, value in given.items()}) == plain
    for name, value in given.items():
        monkeypatch.setenv(name.upper(), f"{value}{blank}")
    assert read_settings(env_file=None) == plain


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"stripe_api_key": "pk_live_1"}, "STRIPE_API_KEY is a publishable key (pk_…), which can't make payments"),
        ({"stripe_api_key": "whsec_1"}, "STRIPE_API_KEY is a webhook's signing secret (whsec_…)"),
        ({"stripe_api_key": "canary"}, "STRIPE_API_KEY must begin with rk_live_, rk_test_, sk_live_ or sk_test_"),
        ({"stripe_webhook_secret": "whsec_1,canary"}, "STRIPE_WEBHOOK_SECRET must begin with whsec_"),
    ],
)
def test_a_key_of_the_wrong_kind_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    with pytest.raises(BadSettings) as caught:
        _read(monkeypatch, **given)
    assert str(caught.value).startswith(said)
    assert "canary" not in str(caught.value)


def test_a_setting_may_stand_in_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in GOOD:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "keys").write_text("a key of some length,the older of them two\n")
    (tmp_path / "token").write_text("made-up-token-20-lg!\n")
    monkeypatch.setenv("SECRET_KEYS_FILE", str(tmp_path / "keys"))
    (tmp_path / ".env").write_text(f"ADMIN_TOKEN_FILE={tmp_path}/token\nPUBLIC_URL=https://pay.example.com\n")
    settings = read_settings(env_file=tmp_path / ".env")
    assert settings.keys == ["a key of some length", "the older of them two"]
    assert settings.admin_token.get_secret_value() == "made-up-token-20-lg!"


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (None, {}, "ADMIN_TOKEN_FILE names {path}, which can't be read: No such file or directory."),
        (b"\n", {}, "ADMIN_TOKEN_FILE names {path}, which is empty."),
        (b"\xff\xfe", {}, "ADMIN_TOKEN_FILE names {path}, which can't be read: it is not text."),
        (b"made-up-token-20-lg!", {"ADMIN_TOKEN": "canary-token-20-chars"}, "are both set. Keep one of them."),
    ],
)
def test_a_file_that_does_not_serve_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, more: dict[str, str], said: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.delenv("ADMIN_TOKEN", raising=False)
    for name, value in ({"ADMIN_TOKEN_FILE": str(path)} | more).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as caught:
        read_settings(env_file=None, **{name: value for name, value in GOOD.items() if name != "admin_token"})
    assert said.format(path=path) in str(caught.value)
    assert "canary" not in str(caught.value)
