"""Sends one request to Kommo: rate-limited, timed, and answered by a body or a ``KommoError``."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from typing import Any
from urllib.parse import quote

import httpx

from backend.core.telemetry.traces import OUT, span
from backend.kommo_api.error_parsing import body_of, error_of
from backend.kommo_api.errors import KommoConnectionError, KommoTooSlow, KommoUnavailable
from backend.kommo_api.scalars import row

API_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
WHOLE_ANSWER_SECONDS = 30.0
"""``API_TIMEOUT`` limits each silence; this limits an answer that arrives slowly."""
LARGEST_ANSWER = 8 * 1024 * 1024
_OF_THE_BYTES_SENT = ("content-encoding", "content-length", "transfer-encoding")
PAGE = 250
"""Kommo's largest page and largest write."""

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""Context around each request: entering it waits for the rate limit; it is left with the request's ``KommoError``."""
OnAnswer = Callable[[int | None, float], None]
"""Called after each request with its status (None: no answer) and its duration in seconds."""
Query = Sequence[tuple[str, object]]
Json = dict[str, Any]

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


async def send(
    http: httpx.AsyncClient, request: httpx.Request, *, seconds: float = WHOLE_ANSWER_SECONDS
) -> httpx.Response:
    """The complete answer, whatever its status, within ``seconds`` in all.

    Raises ``KommoConnectionError`` (``KommoTooSlow`` after a timeout) and ``KommoUnavailable`` for an answer larger
    than 8 MiB. A write that may have been sent is ``doubtful``.
    """
    is_write = request.method != "GET"
    try:
        async with asyncio.timeout(seconds):
            with span(f"Kommo {request.method}", OUT, {"url.path": request.url.path}) as noted:
                answer = await _read(http, request)
                noted.set_attribute("http.response.status_code", answer.status_code)
                return answer
    except TimeoutError as error:
        raise KommoTooSlow(f"no whole answer within {seconds:g} seconds", doubtful=is_write) from error
    except _NOT_SENT as error:
        raise KommoConnectionError(_reason(error)) from error
    except httpx.ReadTimeout as error:
        raise KommoTooSlow(_reason(error), doubtful=is_write) from error
    except httpx.RequestError as error:  # sent at least in part: only a write leaves the outcome unknown
        raise KommoConnectionError(_reason(error), doubtful=is_write) from error


async def _read(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    answer = await http.send(request, follow_redirects=False, stream=True)
    try:
        parts: list[bytes] = []
        size = 0
        async for part in answer.aiter_bytes():
            size += len(part)
            if size > LARGEST_ANSWER:
                raise KommoUnavailable("the answer is too large", doubtful=request.method != "GET")
            parts.append(part)
    finally:
        await answer.aclose()
    headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _OF_THE_BYTES_SENT]
    return httpx.Response(answer.status_code, headers=headers, content=b"".join(parts), request=request)


def _reason(error: httpx.RequestError) -> str:
    return str(error) or type(error).__name__


class Wire:
    """HTTP requests of one account, authorized by its token.

    Methods return the JSON body, or None for Kommo's 204 *nothing found*. An empty 200 is an error
    (docs/facts/kommo-api.md 5). They raise ``KommoError``.
    """

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, access_token: str, turn: Turn, on_answer: OnAnswer | None
    ) -> None:
        self._http, self._base_url, self._turn, self._on_answer = http, base_url.rstrip("/"), turn, on_answer
        self._headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/hal+json"}

    async def get(self, path: str, query: Query = ()) -> Json | None:
        """The JSON body of a GET, or None for 204."""
        return await self._ask("GET", path, query, None)

    async def post(self, path: str, body: object) -> Json | None:
        """POST ``body`` as JSON and return the answer's JSON body, or None for 204."""
        return await self._ask("POST", path, (), body)

    async def post_for_status(self, path: str, body: object) -> int:
        """POST ``body`` and return the status of a successful answer. Its body may be text, but not a page, which a
        gateway or a sign-in form would send."""
        async with self._turn():
            answer = _succeeded(await self._timed(self._request("POST", path, (), body)))
            if answer.content.lstrip().startswith(b"<"):
                raise KommoUnavailable("the answer is a page", doubtful=True)
            return answer.status_code

    async def patch(self, path: str, body: object) -> Json | None:
        """PATCH ``body`` as JSON and return the answer's JSON body, or None for 204."""
        return await self._ask("PATCH", path, (), body)

    async def pages(self, path: str, plural: str, query: Query = (), *, size: int = PAGE) -> AsyncIterator[list[Json]]:
        """Yield the rows of each page, at most ``size`` of them, until a page is the last, is empty or repeats.

        A full page is not the last one, even without a link to the next: a row that is not read would count as absent.
        Some lists ignore ``page`` and would repeat forever (docs/facts/kommo-api.md 5). Raises ``KommoError``.
        """
        seen: list[Json] | None = None
        number = 1
        while True:
            body = await self.get(path, [*query, ("page", number), ("limit", size)])
            rows = rows_found(body, plural)
            if not rows or rows == seen:
                return
            yield rows
            if len(rows) < size and (not body or "next" not in row(body.get("_links"))):
                return
            seen, number = rows, number + 1

    async def _ask(self, method: str, path: str, query: Query, body: object) -> Json | None:
        async with self._turn():
            return _checked(await self._timed(self._request(method, path, query, body)))

    def _request(self, method: str, path: str, query: Query, body: object) -> httpx.Request:
        url = f"{self._base_url}{path}{_text(query)}"
        return self._http.build_request(method, url, json=body, headers=self._headers, timeout=API_TIMEOUT)

    async def _timed(self, request: httpx.Request) -> httpx.Response:
        status, started = None, perf_counter()
        try:
            answer = await send(self._http, request)
            status = answer.status_code
            return answer
        finally:
            if self._on_answer:
                self._on_answer(status, perf_counter() - started)


def _text(query: Query) -> str:
    """The query string. Brackets are not encoded: 250 ids must fit into the 8 kB that gateways allow a URL."""
    return f"?{'&'.join(f'{name}={quote(str(value))}' for name, value in query)}" if query else ""


def _succeeded(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise error_of(answer, is_write=answer.request.method != "GET")
    return answer


def _checked(answer: httpx.Response) -> Json | None:
    is_write = _succeeded(answer).request.method != "GET"
    if answer.status_code == 204:
        return None
    body = body_of(answer)
    if not isinstance(body, dict):
        raise KommoUnavailable("the answer is not the JSON it should be", doubtful=is_write)
    return body


def rows_of(body: Json | None, plural: str, *, is_write: bool = False) -> list[Json]:
    """The objects in ``_embedded.<plural>``. Raises ``KommoUnavailable`` if there is no such list of objects."""
    embedded = (body or {}).get("_embedded")
    rows = embedded.get(plural) if isinstance(embedded, dict) else None
    if not isinstance(rows, list):
        raise KommoUnavailable(f"the answer has no {plural}", doubtful=is_write)
    if not all(isinstance(one, dict) for one in rows):
        raise KommoUnavailable(f"the answer has {plural} that cannot be read", doubtful=is_write)
    return rows


def rows_found(body: Json | None, plural: str) -> list[Json]:
    """The objects in the answer to a read; none for 204, Kommo's *nothing found*. ``{}`` says nothing and raises as in
    ``rows_of``."""
    return [] if body is None else rows_of(body, plural)
