"""What callers asked of this Stripe, kept for tests and for the story."""

from dataclasses import asdict, dataclass
from typing import Any

TOLD = ("idempotency-key", "stripe-version", "stripe-account", "user-agent", "content-type")


@dataclass
class Seen:
    """One request: ``params`` as decoded (text, or typed once validated), ``headers`` in lower case, the key masked."""

    id: str
    at: float
    method: str
    path: str
    headers: dict[str, str]
    params: Any = None
    account: str | None = None
    livemode: bool | None = None
    key: str | None = None
    status: int | None = None
    replayed: bool = False
    fault: str | None = None

    def shown(self) -> dict[str, Any]:
        return asdict(self)
