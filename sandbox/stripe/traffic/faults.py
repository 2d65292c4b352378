"""What can go wrong between a caller and Stripe, ordered for the next requests to a path."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

KINDS = {
    "rate_limit": "429 before anything begins; the Idempotency-Key stays free",
    "lock_timeout": "429 lock_timeout, to be tried again with the same key",
    "server_error": "500 after the work began: nothing is done, and the 500 is replayed for the key",
    "server_error_after": "500 when the work was done already, and the 500 is replayed for the key",
    "refused": "400 after the work began: nothing is done, and the refusal is replayed for the key",
    "html_502": "an HTML page of a proxy; nothing is done",
    "html_502_after": "the work is done, and a proxy answers with its HTML page",
    "cut_before": "the connection is reset and nothing was done",
    "cut_after": "the work is done and the answer is lost",
    "cut_answer": "the work is done and the answer stops half way",
    "empty": "200 with an empty body; nothing is done",
    "empty_after": "the work is done, and the answer is a 200 with an empty body",
    "html_200": "200 with a proxy's page; nothing is done",
    "html_200_after": "the work is done, and the answer is a 200 with a proxy's page",
    "json_200": "200 with JSON of a proxy's own; nothing is done",
    "json_200_after": "the work is done, and the answer is a 200 with JSON of a proxy's own",
    "object_200": "200 with another object of Stripe's, as a proxy kept it; nothing is done",
    "object_200_after": "the work is done, and the answer is a 200 with another object of Stripe's",
    "html_403": "a proxy's 403 page; nothing is done",
    "html_403_after": "the work is done, and a proxy answers with its 403 page",
    "json_400": "a proxy's 400 with JSON of its own; nothing is done",
    "json_400_after": "the work is done, and a proxy answers 400 with JSON of its own",
    "short_200": "the work is done, and a proxy hands on the first half of the answer as if it were all",
    "delay": "the answer takes so many seconds; meanwhile the key is in use",
    "hang": "no answer at all; the work is done",
}

PAGE = "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
PROXYS: dict[str, tuple[int, Any]] = {
    "html_502": (502, PAGE),
    "html_200": (200, PAGE),
    "html_403": (403, PAGE),
    "empty": (200, ""),
    "json_200": (200, {"status": "ok"}),
    "object_200": (200, {"id": "prod_1", "object": "product", "name": "Sofa"}),
    "json_400": (400, {"error": "blocked", "message": "The request was blocked."}),
}
"""Answers that Stripe itself never saw; with ``_after``, Stripe did the work first."""


@dataclass
class Fault:
    """For the next ``count`` requests whose method and path fit (``*`` as in file names)."""

    kind: str
    path: str = "*"
    method: str = "*"
    count: int = 1
    seconds: float = 0.0

    @property
    def proxys(self) -> tuple[int, Any] | None:
        """Status and body of the answer that a proxy gives in place of Stripe's."""
        return PROXYS.get(self.kind.removesuffix("_after"))

    def fits(self, method: str, path: str) -> bool:
        return self.count > 0 and fnmatchcase(method, self.method) and fnmatchcase(path, self.path)


@dataclass
class Faults:
    ordered: list[Fault] = field(default_factory=list)

    def order(self, fault: Fault) -> None:
        if fault.kind not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}, not {fault.kind}")
        self.ordered.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets; one less of it remains."""
        found = next((fault for fault in self.ordered if fault.fits(method, path)), None)
        if found is not None:
            found.count -= 1
        return found
