"""OAuth of a private integration (docs/facts/kommo-api.md 1 to 3). Nothing here stores anything."""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from backend.kommo_api.auth.refusals import refusal_of
from backend.kommo_api.error_parsing import body_of, error_of
from backend.kommo_api.errors import (
    KommoConnectionError,
    KommoError,
    KommoForbidden,
    KommoNotFound,
    KommoRefused,
    KommoUnauthorized,
)
from backend.kommo_api.responses import read
from backend.kommo_api.scalars import Row, required, row, text, whole
from backend.kommo_api.transport import send

OAUTH_SECONDS = 15.0
"""For the whole call, so that a lock held for longer is never outlived by it."""
TOKEN = "/oauth2/access_token"  # noqa: S105 (a path)
CURRENT_SUBDOMAIN = "/oauth2/account/current/subdomain"


class TokenRefused(KommoError):
    """Kommo does not accept this code, token, integration or host; ``hint`` is Kommo's English reason, or empty."""

    def __init__(self, hint: str, status: int) -> None:
        super().__init__(hint or f"HTTP {status}")
        self.hint = hint
        self.status = status
        self.reason = refusal_of(hint, status)


@dataclass(frozen=True, slots=True)
class CurrentHost:
    """Where an account lives now; check ``domain`` with ``hosts.kommo_host`` before any secret goes there."""

    account_id: int
    subdomain: str
    domain: str


def authorize_url(oauth_url: str, client_id: str, state: str) -> str:
    """Kommo's consent page; ``popup`` makes it send the *opener* to the redirect URI."""
    query = urlencode({"client_id": client_id, "state": state, "mode": "popup"})
    return f"{oauth_url}{'&' if '?' in oauth_url else '?'}{query}"


async def exchange_code(
    http: httpx.AsyncClient,
    base_url: str,
    *,
    client_id: str,
    client_secret: str,
    redirect_uri: str,
    code: str,
    seconds: float = OAUTH_SECONDS,
) -> bytes:
    """The raw body of Kommo's 200: keep it before ``tokens.parse_pair``, a code is good only once.

    ``seconds``: for the whole call; Kommo's install hook waits for 3 only.
    Raises ``TokenRefused`` (a definite no) and ``KommoError``; what is ``doubtful`` may have used up the code.
    """
    return await _grant(
        http,
        base_url,
        seconds,
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=redirect_uri,
        grant_type="authorization_code",
        code=code,
    )


async def refresh(
    http: httpx.AsyncClient, base_url: str, *, client_id: str, client_secret: str, redirect_uri: str, refresh_token: str
) -> bytes:
    """As ``exchange_code``: after a doubtful error the old token is worth one more try."""
    return await _grant(
        http,
        base_url,
        OAUTH_SECONDS,
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=redirect_uri,
        grant_type="refresh_token",
        refresh_token=refresh_token,
    )


async def _grant(http: httpx.AsyncClient, base_url: str, seconds: float, **body: str) -> bytes:
    request = http.build_request("POST", f"{base_url.rstrip('/')}{TOKEN}", json=body, timeout=_timeout(seconds))
    return (await _answer(http, request, seconds)).content


async def current_subdomain(http: httpx.AsyncClient, api_domain_url: str, refresh_token: str) -> CurrentHost:
    """Where the account of this token lives after a change of its subdomain; the API host is in its access token.

    Raises ``TokenRefused`` with status 404 where Kommo has no such route [U], else as ``exchange_code``.
    """
    request = http.build_request(
        "GET",
        f"{api_domain_url.rstrip('/')}{CURRENT_SUBDOMAIN}",
        headers={"X-Refresh-Token": refresh_token},
        timeout=_timeout(OAUTH_SECONDS),
    )
    return read(_current_host, row(body_of(await _answer(http, request, OAUTH_SECONDS))))


def _current_host(given: Row) -> CurrentHost:
    return CurrentHost(whole(required(given, "id")), text(given.get("subdomain")), text(given.get("domain")))


async def _answer(http: httpx.AsyncClient, request: httpx.Request, seconds: float) -> httpx.Response:
    is_write = request.method != "GET"
    try:
        async with asyncio.timeout(seconds):
            answer = await send(http, request)
    except TimeoutError as late:
        raise KommoConnectionError(f"no answer within {seconds:g} seconds", doubtful=is_write) from late
    if answer.status_code == 200:
        return answer
    error = error_of(answer, is_write=is_write)
    if isinstance(error, KommoUnauthorized | KommoForbidden | KommoNotFound | KommoRefused):
        raise TokenRefused(text(row(body_of(answer)).get("hint")), answer.status_code) from error
    raise error


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(5.0, seconds))


def uninstall_signature_ok(client_id: str, account_id: str | int, signature: str, secret: str) -> bool:
    """True if this is the HMAC-SHA256 of ``client_id|account_id``, in hex of either case (docs/facts/kommo-api.md 3).

    It carries no time, so it proves only that Kommo once said so.
    """
    message = f"{client_id}|{account_id}".encode(errors="replace")
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode(errors="replace"))
