"""Filters of the list: one value for the page, its sums and its file, so that the three can't differ."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from backend.storage.models import Deal, PaymentLine

MOST_WORDS = 8
RECEIVED = ("paid", "partially_refunded", "refunded", "disputed", "inquiry")
OPEN = ("pending", "failed", "processing")
STATES = ("received", "open", "overdue", *RECEIVED, "processing", "pending", "failed", "expired", "cancelled")
WHATS = ("single", "deposit", "rest", "subscription", "other")


@dataclass(frozen=True, slots=True)
class Filter:
    """The wanted lines; an empty part does not filter. ``leads``: deals that Kommo found for ``words``."""

    livemode: bool
    words: tuple[str, ...] = ()
    leads: frozenset[int] = frozenset()
    state: str = ""
    since: float | None = None
    until: float | None = None
    currency: str = ""
    what: str = ""
    connection: str = ""
    pipeline: int | None = None
    responsible: int | None = None

    def found_by_kommo(self, leads: Iterable[int]) -> "Filter":
        """Return a copy that also matches the deals with these ids, which Kommo found for the words."""
        return replace(self, leads=frozenset(leads))

    def conditions(self, account_id: int, now: float) -> list[ColumnElement[bool]]:
        """Return the SQL conditions of the filter; ``now`` is epoch seconds."""
        line = PaymentLine
        found = [col(line.account_id) == account_id, col(line.livemode) == self.livemode]
        equal: list[tuple[Any, Any]] = [
            (line.currency, self.currency), (line.what, self.what), (line.connection_id, self.connection),
        ]  # fmt: skip
        found += [col(column) == value for column, value in equal if value]
        found += [col(line.at) >= self.since] if self.since is not None else []
        found += [col(line.at) < self.until] if self.until is not None else []
        found += [_of_state(self.state, now)]
        found += [self._speaks()] if self.words else []
        return found + self._stands_in(account_id)

    def _speaks(self) -> ColumnElement[bool]:
        ours = and_(*(col(PaymentLine.words).contains(word, autoescape=True) for word in self.words))
        return or_(ours, col(PaymentLine.lead_id).in_(sorted(self.leads))) if self.leads else ours

    def _stands_in(self, account_id: int) -> list[ColumnElement[bool]]:
        wanted = [(Deal.pipeline_id, self.pipeline), (Deal.responsible_id, self.responsible)]
        asked = [col(column) == value for column, value in wanted if value is not None]
        deals = select(Deal.lead_id).where(Deal.account_id == account_id, *asked)
        return [col(PaymentLine.lead_id).in_(deals)] if asked else []


def _of_state(state: str, now: float) -> ColumnElement[bool]:
    """Return a state's condition; ``overdue`` compares the line's stored time with now."""
    line = PaymentLine
    is_open = col(line.state).in_(OPEN)
    if state == "received":
        return col(line.is_payment).is_(True)
    if state == "open":
        return is_open
    if state == "overdue":
        return and_(is_open, col(line.overdue_at) <= now)
    return col(line.state) == state if state else col(line.state) != "cancelled"


def words_of(text: str) -> tuple[str, ...]:
    """Return the first ``MOST_WORDS`` search words in lower case; of a pasted link only its last part.

    () for a text without words, which then does not filter.
    """
    words = (word.partition("?")[0].rstrip("/").rpartition("/")[2] for word in text.lower().split())
    return tuple(word for word in words if word)[:MOST_WORDS]
