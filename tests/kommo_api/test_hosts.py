"""Where a secret may go: the referer is anybody's text."""

import pytest

from backend.kommo_api.hosts import BadReferer, kommo_host

KOMMO = "https://{subdomain}.kommo.com"
LOCAL = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("referer", "template", "address"),
    [
        ("acme.kommo.com", KOMMO, "https://acme.kommo.com"),
        ("ACME.Kommo.com", KOMMO, "https://acme.kommo.com"),
        ("a-1.kommo.com", KOMMO, "https://a-1.kommo.com"),
        ("127.0.0.1:9000", LOCAL, LOCAL),
        ("acme.kommo.com", LOCAL, LOCAL),
        ("acme.kommo.com", LOCAL + "/", LOCAL),
        ("localhost", "http://localhost", "http://localhost"),
        ("acme.localhost:9000", "http://{subdomain}.localhost:9000", "http://acme.localhost:9000"),
        ("acme.kommo.com", "http://{subdomain}.localhost:9000", "http://acme.localhost:9000"),
    ],
)
def test_a_kommo_account_or_our_own_server_is_talked_to(referer: str, template: str, address: str) -> None:
    assert kommo_host(referer, template) == address


@pytest.mark.parametrize("template", [KOMMO, LOCAL])
@pytest.mark.parametrize(
    "referer",
    [
        "",
        "kommo.com",
        ".kommo.com",
        "www.kommo.com",
        "evil.com",
        "acme.kommo.com.evil.com",
        "acme.evilkommo.com",
        "a.b.kommo.com",
        "acme.kommo.com.",
        "acme.kommo.com:443",
        "acme.kommo.com:8443",
        "user@acme.kommo.com",
        "acme.kommo.com@evil.com",
        "acme.kommo.com/x",
        "evil.com/acme.kommo.com",
        "evil.com#acme.kommo.com",
        "evil.com?acme.kommo.com",
        "evil.com\\.kommo.com",
        "https://acme.kommo.com",
        "acme.kommo.com\n",
        " acme.kommo.com",
        "acme.kommo.com\r\nHost: evil.com",
        "-acme.kommo.com",
        "acme-.kommo.com",
        "ac_me.kommo.com",
        "a" * 64 + ".kommo.com",
        "аcme.kommo.com",
        "acme.\u212aommo.com",
        "acme\u3002kommo\u3002com",
        "acme.kommo\uff0ecom",
        "10.0.0.1",
        "127.0.0.1",
        "127.0.0.1:9001",
        "127.0.0.1:9000/x",
        "x@127.0.0.1:9000",
        "127x0.0.1:9000",
        "[::1]:9000",
        "169.254.169.254",
        "2130706433",
        "localhost",
        "{subdomain}.kommo.com",
    ],
)
def test_everything_else_is_refused(referer: str, template: str) -> None:
    with pytest.raises(BadReferer):
        kommo_host(referer, template)
