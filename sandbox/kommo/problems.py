"""Kommo's refusals, word for word where a word matters (docs/facts/kommo-api.md 2, 5, 6)."""

from dataclasses import dataclass
from typing import Any

from sandbox.kommo.records import Json
from sandbox.kommo.switches import Switches

_TITLES = {
    301: "Moved Permanently",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}


class Problem(Exception):
    """A refused request. ``body`` is an object (problem+json) or text (the gateway's HTML)."""

    def __init__(self, status: int, body: Json | str) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


@dataclass(frozen=True)
class ItemError:
    """One line of ``validation-errors``: ``path`` is a dot path inside the item."""

    path: str
    code: str = "NotSupportedChoice"
    detail: str = "The value you selected is not a valid choice."
    keyed: bool = False


def wrong_type(path: str, expected: str) -> ItemError:
    return ItemError(path, "InvalidType", f"This value should be of type {expected}.")


def problem(status: int, detail: str, **more: Any) -> Problem:
    body = {"title": _TITLES[status], "type": f"https://httpstatus.es/{status}", "status": status, "detail": detail}
    return Problem(status, {**body, **more})


def page(status: int) -> Problem:
    """What the gateway in front of Kommo says."""
    title = f"{status} {_TITLES[status]}"
    heading = f"<head><title>{title}</title></head>"
    return Problem(
        status,
        f"<html>\r\n{heading}\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    )


def invalid(switches: Switches, refused: list[tuple[Json, str, list[ItemError]]]) -> Problem:
    """A 400 for items ``(item, request_id, errors)``, in the form that is switched on.

    An error that is ``keyed`` speaks of leads by id in every reading (a loss reason on a lead that is not lost).
    """
    keyed = all(error.keyed for _, _, errors in refused for error in errors)
    if switches.reads("bad_request", "silent"):
        return problem(400, "Request validation failed")
    if keyed or switches.reads("bad_request", "keyed_by_lead"):
        errors = {str(item.get("id", request_id)): errors[0].detail for item, request_id, errors in refused}
        return Problem(400, {"errors": errors, "title": "Bad Request", "status": 400, "detail": "Invalid request body"})
    return problem(400, "Request validation failed", **{"validation-errors": [_named(*one) for one in refused]})


def _named(_item: Json, request_id: str, errors: list[ItemError]) -> Json:
    shown = [{"code": error.code, "path": error.path, "detail": error.detail} for error in errors]
    return {"request_id": request_id, "errors": shown}


def no_right(switches: Switches) -> Problem:
    if switches.reads("no_right", "400_244"):
        return problem(400, "244: no right for this action")
    return problem(403, "Not enough rights")


def deleted() -> Problem:
    return problem(400, "226: the element is deleted")


def empty_body() -> Problem:
    return problem(400, "Request data can not be empty")
