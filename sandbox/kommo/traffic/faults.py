"""Things that go wrong on the way, for the next requests that match."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sandbox.kommo.problems import Problem, page, problem
from sandbox.kommo.traffic.altered import LOGIN

Kind = Literal[
    "429_json",
    "429_html",
    "403_block",
    "403_json",
    "422_json",
    "301_html",
    "401",
    "402",
    "400_try_again",
    "500_json",
    "404_html",
    "500_html",
    "502_html",
    "503_html",
    "504_html",
    "drop_before",
    "drop_after",
    "drop_late",
    "cut",
    "delay",
    "504_after",
    "empty",
    "empty_after",
    "nothing",
    "nothing_after",
    "login",
    "login_after",
    "object",
    "object_after",
    "left_out",
    "without_next",
    "another",
]
SILENT = {
    "empty": Problem(200, ""),
    "nothing": Problem(204, ""),
    "login": Problem(200, LOGIN),
    "object": Problem(200, {}),
}
"""Answers that say neither yes nor no."""
KINDS: tuple[str, ...] = get_args(Kind)


class UnknownFault(ValueError):
    """There is no fault of this kind."""


@dataclass
class Fault:
    """``path`` is a pattern searched in the path. ``skip`` matching requests pass, then every ``every``-th is hit,
    ``times`` times in all; ``times`` 0 never ends.

    drop_before, drop_after and drop_late close the connection without a byte: before the request would be carried out,
    after it was, and ``seconds`` before it is, when the caller may have asked again long since. 504_after carries it
    out and then answers 504. empty, object, login and nothing answer a 200 without a body, a 200 with ``{}``, a 200
    with a page, and a 204; with _after they carry it out first. left_out, without_next and another carry it out and
    change the true answer (``sandbox/kommo/traffic/altered.py``). cut ends the answer half way; delay waits ``seconds``
    of real time and goes on.
    ``more_than`` spares requests about fewer items, ``about`` those that do not name this id.
    """

    kind: str
    path: str = ""
    method: str = ""
    times: int = 1
    skip: int = 0
    every: int = 1
    seconds: float = 0.0
    more_than: int = -1
    about: int = 0
    met: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownFault(f"{self.kind} is none of {', '.join(KINDS)}")

    @property
    def is_spent(self) -> bool:
        return 0 < self.times <= self.hits

    def strikes(self, method: str, path: str, items: Collection[str]) -> bool:
        """Counts the request if it matches; true if it is one of those to be hit."""
        if self.method not in ("", method) or re.search(self.path, path) is None or len(items) <= self.more_than:
            return False
        if self.about and str(self.about) not in items:
            return False
        self.met += 1
        number = self.met - self.skip
        if number <= 0 or number % self.every:
            return False
        self.hits += 1
        return True

    @property
    def answer_after(self) -> Problem | None:
        """What is said instead of the true answer, after the request was carried out."""
        if self.kind == "504_after":
            return page(504)
        return SILENT.get(self.kind.removesuffix("_after")) if self.kind.endswith("_after") else None

    def answer(self) -> Problem | None:
        """What is said instead of the true answer, before the request is carried out."""
        kind = self.kind
        if kind.endswith("_html"):
            return page(int(kind[:3]))
        return SILENT.get(kind) or {
            "429_json": problem(429, "Too many requests", retry_after=300),
            "403_block": page(403),
            "403_json": problem(403, "Forbidden"),
            "422_json": problem(422, "Unprocessable"),
            "401": problem(401, "Unauthorized"),
            "402": problem(402, "Account is not paid"),
            "400_try_again": problem(400, "System error. Please repeat the request."),
            "500_json": Problem(500, {"title": "ErrInternalServer", "status": 500, "detail": "", "trace_id": "0a1b2c"}),
        }.get(kind)


@dataclass
class Faults:
    waiting: list[Fault] = field(default_factory=list)

    def add(self, kind: str, path: str = "", **rest: Any) -> Fault:
        """``rest`` is what ``Fault`` takes: method, times, skip, every, seconds, more_than, about."""
        fault = Fault(kind, path, **rest)
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, method: str, path: str, items: Collection[str] = ()) -> Fault | None:
        """The first fault that hits this request, which is about ``items``."""
        struck = next((fault for fault in self.waiting if fault.strikes(method, path, items)), None)
        self.waiting = [fault for fault in self.waiting if not fault.is_spent]
        return struck
