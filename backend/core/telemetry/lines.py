"""The facts of the business, one log line each: a closed list of names and of what stands beside them.

Only ids, codes and durations: nothing of a client, no amount, no address of a link, no secret. docs/operations.md
explains them to the operator.
"""

from collections.abc import Mapping

import structlog
from sqlalchemy import event
from sqlmodel.ext.asyncio.session import AsyncSession

LINES: Mapping[str, tuple[str, ...]] = {
    "account connected": ("account", "client_id", "by"),
    "account uninstalled": ("account",),
    "Stripe connected": ("account", "connection", "livemode"),
    "user signed in": ("who", "account", "address"),
    "link made": ("account", "deal", "payment_request", "ms"),
    "link opened": ("account", "deal", "payment_request"),
    "link cancelled": ("account", "deal", "payment_request"),
    "payment received": ("account", "deal", "payment_request", "payment", "told_by", "ms"),
    "payment failed": ("account", "deal", "payment_request", "payment", "told_by", "ms"),
    "refund requested": ("account", "deal", "payment", "refund", "ms"),
    "refund succeeded": ("account", "deal", "payment_request", "payment", "refund", "told_by", "ms"),
    "refund failed": ("account", "deal", "payment_request", "payment", "refund", "told_by", "ms"),
    "dispute opened": ("account", "deal", "payment_request", "payment", "dispute", "told_by", "ms"),
    "dispute closed": ("account", "deal", "payment_request", "payment", "dispute", "told_by", "ms"),
    "subscription ended": ("account", "deal", "payment_request", "subscription", "told_by", "ms"),
    "deal written": ("account", "deal", "what", "ms"),
    "deal write refused": ("account", "deal", "what", "reason"),
    "request refused": ("code", "status", "route"),
}
"""Name → its fields. A line leaves out those that it does not know; each may have the ``request`` that caused it."""
log = structlog.get_logger()


def note(line: str, **ids: object) -> None:
    """Write the line, without what is None. ``KeyError`` for a name or a field that is not on the list."""
    given = {name: value for name, value in ids.items() if value is not None}
    if unknown := given.keys() - set(LINES[line]):
        raise KeyError(f"{line}: {', '.join(sorted(unknown))}")
    log.info(line, **given)


def note_after_commit(session: AsyncSession, line: str, **ids: object) -> None:
    """Write the line once the unit of work holds: one that is undone or repeated leaves none."""
    event.listen(session.sync_session, "after_commit", lambda _session: note(line, **ids), once=True)


def milliseconds(seconds: float) -> float:
    """A duration for a line; none is negative, whatever a clock did meanwhile."""
    return round(max(0.0, seconds) * 1000, 1)
