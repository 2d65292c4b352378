"""What the world was asked and what it answered, request by request."""

from dataclasses import dataclass
from typing import Any


@dataclass
class CallRecord:
    """``status`` 0 means that no byte of an answer was sent; ``fault`` names what was done to the request.

    ``answered_at`` is the time at which the answer was ready to be sent; 0 before.
    """

    at: float
    method: str
    path: str
    query: str
    body: Any
    account_id: int | None
    client_id: str | None
    status: int = 0
    fault: str = ""
    request_id: str = ""
    answer: Any = None
    answered_at: float = 0.0

    @property
    def is_write(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


@dataclass
class Sent:
    """A request that Kommo made: a hook. ``status`` 0 means that nobody answered in time."""

    at: float
    kind: str
    method: str
    url: str
    body: Any
    status: int = 0
