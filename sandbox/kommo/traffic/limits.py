"""Requests a second, and the block that follows when nobody listens (docs/facts/kommo-api.md 5)."""

from collections import deque
from dataclasses import dataclass, field

from backend.core.clock import Clock
from sandbox.kommo.accounts.grants import Pair
from sandbox.kommo.problems import Problem, page, problem
from sandbox.kommo.switches import Switches

_BLOCK_WINDOW = 60.0
_ACCOUNT_RATE = 50


@dataclass
class Limits:
    """Sliding windows of one second. ``rate`` and ``block_after`` may be changed; the documents give only the rate."""

    clock: Clock
    switches: Switches
    rate: int = 7
    block_after: int = 30
    blocked: set[str] = field(default_factory=set)
    _seen: dict[str, deque[float]] = field(default_factory=dict)
    _refused: dict[str, deque[float]] = field(default_factory=dict)

    def refusal(self, address: str, pair: Pair | None) -> Problem | None:
        """Counts the request, or says why it is refused."""
        if address in self.blocked:
            return page(403)
        account = f"account {pair.account_id}" if pair else ""
        if self._count(self._key(address, pair), self.rate) and self._count_account(account):
            return None
        self._strike(address)
        return self._too_many()

    def lift(self) -> None:
        """What Kommo's support does."""
        self.blocked.clear()
        self._refused.clear()

    def _key(self, address: str, pair: Pair | None) -> str:
        if pair is None or self.switches.reads("rate_scope", "ip"):
            return f"address {address}"
        if self.switches.reads("rate_scope", "account"):
            return f"all of {pair.account_id}"
        return f"{pair.client_id} in {pair.account_id}"

    def _count_account(self, account: str) -> bool:
        return not account or self.switches.reads("account_rate", "none") or self._count(account, _ACCOUNT_RATE)

    def _count(self, key: str, rate: int) -> bool:
        times = self._seen.setdefault(key, deque())
        now = self.clock()
        while times and times[0] <= now - 1:
            times.popleft()
        if len(times) >= rate:
            return False
        times.append(now)
        return True

    def _strike(self, address: str) -> None:
        times = self._refused.setdefault(address, deque())
        times.append(self.clock())
        while times[0] < self.clock() - _BLOCK_WINDOW:
            times.popleft()
        if len(times) >= self.block_after and self.switches.reads("block", "after_429s"):
            self.blocked.add(address)

    def _too_many(self) -> Problem:
        if self.switches.reads("rate_answer", "html"):
            return page(429)
        return problem(429, "Too many requests", retry_after=300)
