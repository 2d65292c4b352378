"""Which host a secret may be sent to. ``referer`` comes from a browser, so anybody can forge it."""

import re
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_KOMMO = re.compile(rf"({_LABEL})\.kommo\.com")


class BadReferer(ValueError):
    """The referer names no Kommo account."""


def kommo_host(referer: str, base_url_template: str) -> str:
    """The base URL of the Kommo account named by ``referer``, without a trailing slash.

    Allowed are ``{label}.kommo.com`` and the host[:port] of the template. The URL is always built from the template, so
    only one DNS label of ``referer`` ever reaches an address. Raises ``BadReferer`` for any other host.
    """
    template = base_url_template.rstrip("/")
    own_host = re.escape(urlsplit(template).netloc.lower()).replace(re.escape("{subdomain}"), f"({_LABEL})")
    for allowed in (_KOMMO, re.compile(own_host)):
        # "www" is Kommo's own site (docs/facts/kommo-api.md 2, K-OAUTH)
        found = allowed.fullmatch(referer.lower()) if referer.isascii() else None
        if found and found.groups() != ("www",):
            return template.replace("{subdomain}", found[1] if found.groups() else "")
    raise BadReferer(f"{referer[:100]!r} is not the address of a Kommo account")
