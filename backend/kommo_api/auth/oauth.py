"""OAuth of a private integration (docs/facts/kommo-api.md 1 to 3). Nothing is stored here."""

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
"""Limit of the whole call. It is shorter than the lock around a refresh, so the call ends before the lock expires."""
TOKEN = "/oauth2/access_token"  # noqa: S105 (a path)
CURRENT_SUBDOMAIN = "/oauth2/account/current/subdomain"


class TokenRefused(KommoError):
    """Kommo does not accept this code, token, integration or host; ``hint`` is Kommo's English reason, or ''."""

    says = "kommo_token_refused"

    def __init__(self, hint: str, status: int) -> None:
        super().__init__(hint or f"HTTP {status}")
        self.hint = hint
        self.status = status
        self.reason = refusal_of(hint, status)


@dataclass(frozen=True, slots=True)
class CurrentHost:
    """The current address of an account. Check ``domain`` with ``hosts.kommo_host`` before sending a secret there."""

    account_id: int
    subdomain: str
    domain: str


def authorize_url(oauth_url: str, client_id: str, state: str) -> str:
    """The URL of Kommo's consent page. ``mode=popup`` makes Kommo send the *opener* window to the redirect URI."""
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
    """Exchange an authorization code for tokens; returns the raw body of Kommo's 200 (docs/facts/kommo-api.md 2).

    Store the body before parsing it with ``tokens.parse_pair``: a code works once. ``seconds`` limits the whole call;
    Kommo's install hook waits only 3. Raises ``TokenRefused`` for a definite refusal and another ``KommoError``
    otherwise; after a ``doubtful`` one the code may be used up.
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
    """Exchange the refresh token for a new pair; returns the raw body and raises as ``exchange_code``.

    After a doubtful error try the old refresh token once more: Kommo may still accept it (docs/facts/kommo-api.md 2).
    """
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
    """The current address of the account after a change of its subdomain (docs/facts/kommo-api.md 2).

    ``api_domain_url`` is the API host named in the access token. Raises ``TokenRefused`` with status 404 if Kommo lacks
    this route [U], otherwise as ``exchange_code``.
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

    The signature has no time: it proves only that Kommo once sent it.
    """
    message = f"{client_id}|{account_id}".encode(errors="replace")
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode(errors="replace"))
