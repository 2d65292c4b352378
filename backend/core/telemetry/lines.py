"""One log line for each business fact: a closed list of names and fields.

Only ids, codes and durations are logged: nothing about a client, no amount, no link, no secret. docs/operations.md
explains the lines to the operator.
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
"""Name → its fields. A line leaves out unknown ones; each line may have the ``request`` that caused it."""
log = structlog.get_logger()


def note(line: str, **ids: object) -> None:
    """Log the line without the fields that are None. Raises ``KeyError`` for a name or
    field that is not in ``LINES``."""
    given = {name: value for name, value in ids.items() if value is not None}
    if unknown := given.keys() - set(LINES[line]):
        raise KeyError(f"{line}: {', '.join(sorted(unknown))}")
    log.info(line, **given)


def note_after_commit(session: AsyncSession, line: str, **ids: object) -> None:
    """Log the line once the unit of work is committed; one that is rolled back or repeated logs nothing."""
    event.listen(session.sync_session, "after_commit", lambda _session: note(line, **ids), once=True)


def milliseconds(seconds: float) -> float:
    """Return a duration in milliseconds, never below zero, even if a clock was set back meanwhile."""
    return round(max(0.0, seconds) * 1000, 1)
