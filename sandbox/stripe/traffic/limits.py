"""Stripe's request limits (docs/facts/stripe.md D): 25 a second for one operation; over all, 100 live and 25 test."""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

from backend.core.clock import Clock
from sandbox.stripe.objects.refusals import Refusal

OPERATION = 25
ACCOUNT = {True: 100, False: 25}


@dataclass
class Limits:
    """Requests of the last second by whatever is limited."""

    clock: Clock
    recent: dict[Hashable, deque[float]] = field(default_factory=dict)

    def spend(self, account: str, livemode: bool, operation: str) -> None:
        """Count one request, or ``Refusal`` 429 that names the limit it met."""
        self._spend((account, livemode), ACCOUNT[livemode], "global-rate")
        self._spend((account, livemode, operation), OPERATION, "endpoint-rate")

    def _spend(self, what: Hashable, most: int, reason: str) -> None:
        now, times = self.clock(), self.recent.setdefault(what, deque())
        while times and times[0] <= now - 1:
            times.popleft()
        if len(times) >= most:
            headers = {"Stripe-Rate-Limited-Reason": reason}
            raise Refusal("Request rate limit exceeded.", status=429, code="rate_limit", headers=headers)
        times.append(now)
