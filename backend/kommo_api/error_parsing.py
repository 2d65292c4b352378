"""Maps an HTTP error response of Kommo to a ``KommoError``. Where the status alone would mislead, the body decides."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx

from backend.kommo_api.errors import (
    FieldError,
    KommoBlocked,
    KommoError,
    KommoForbidden,
    KommoMoved,
    KommoNotFound,
    KommoRateLimited,
    KommoRefused,
    KommoTooSlow,
    KommoUnauthorized,
    KommoUnavailable,
    KommoUnpaid,
)

_TRY_AGAIN = re.compile(r"system error|try again|repeat", re.IGNORECASE)
_NO_RIGHT = re.compile(r"\b244\b")
_LONGEST_DETAIL = 300


def body_of(answer: httpx.Response) -> Any:
    """The parsed JSON body with floats as ``Decimal``, or None for anything else, such as HTML from Kommo's gateway."""
    if "json" not in answer.headers.get("content-type", "") and not answer.content.lstrip().startswith((b"{", b"[")):
        return None
    try:
        return json.loads(answer.content, parse_float=Decimal)
    except (ValueError, RecursionError):  # truncated, nested without end, or not in the encoding that it claims
        return None


def error_of(answer: httpx.Response, *, is_write: bool) -> KommoError:
    """The ``KommoError`` for this error response, with Kommo's request id (docs/facts/kommo-api.md 6).

    ``is_write``: the request may have changed something, so an unclear answer is marked ``doubtful``.
    """
    body = body_of(answer)
    problem = body if isinstance(body, dict) else None
    error = _error(answer, problem, is_write)
    error.request_id = answer.headers.get("x-request-id", "")
    return error


def _error(answer: httpx.Response, problem: Mapping[str, Any] | None, is_write: bool) -> KommoError:
    status, detail = answer.status_code, _detail(problem, answer.status_code)
    if status in (301, 308):
        return KommoMoved(detail)
    if status == 401:
        return KommoUnauthorized(detail)
    if status == 402:
        return KommoUnpaid(detail)
    if status == 403:
        return KommoForbidden(detail) if problem else KommoBlocked()
    if status == 429:
        return KommoRateLimited(detail if problem else "", retry_after=_retry_after(answer, problem))
    if status in (413, 414):
        return _refused(detail, {})
    if status == 504:
        return KommoTooSlow(detail, doubtful=is_write)
    if problem is None or not 400 <= status < 500:
        return KommoUnavailable(detail, doubtful=is_write, retry_after=_retry_after(answer, problem))
    return KommoNotFound(detail) if status == 404 else _refusal(detail, problem, is_write)


def _refusal(detail: str, problem: Mapping[str, Any], is_write: bool) -> KommoError:
    refused = _refused(detail, problem)
    if refused.names_nothing and _TRY_AGAIN.search(detail):
        return KommoUnavailable(detail, doubtful=is_write)
    if refused.names_nothing and _NO_RIGHT.search(detail):
        return KommoForbidden(detail)
    return refused


def _refused(detail: str, problem: Mapping[str, Any]) -> KommoRefused:
    """Both shapes of Kommo's 400, and the one that names no item (docs/facts/kommo-api.md 6)."""
    return KommoRefused(detail, by_request=_by_request(problem), by_lead=_by_lead(problem))


def _by_request(problem: Mapping[str, Any]) -> dict[str, list[FieldError]]:
    rows = [row for row in _list(problem.get("validation-errors")) if isinstance(row, dict)]
    return {str(row.get("request_id", place)): _field_errors(row.get("errors")) for place, row in enumerate(rows)}


def _field_errors(given: Any) -> list[FieldError]:
    rows = [row for row in _list(given) if isinstance(row, dict)]
    return [FieldError(*(str(row.get(key) or "") for key in ("code", "path", "detail"))) for row in rows]


def _by_lead(problem: Mapping[str, Any]) -> dict[int, str]:
    errors = problem.get("errors")
    if not isinstance(errors, dict):
        return {}
    return {int(key): str(sentence) for key, sentence in errors.items() if key.isascii() and key.isdigit()}


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _detail(problem: Mapping[str, Any] | None, status: int) -> str:
    """Kommo's own sentence, or only the status for an HTML page."""
    if problem is None:
        return f"HTTP {status}"
    text = problem.get("detail") or problem.get("hint") or problem.get("title") or f"HTTP {status}"
    return str(text)[:_LONGEST_DETAIL]


def _retry_after(answer: httpx.Response, problem: Mapping[str, Any] | None) -> float | None:
    """Seconds from the header or from Kommo's body. Kommo and its gateway send no HTTP dates."""
    for given in (answer.headers.get("retry-after"), (problem or {}).get("retry_after")):
        try:
            return max(0.0, float(str(given)))
        except ValueError:
            continue
    return None
