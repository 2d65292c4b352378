"""The audit log of an account, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import Audit

SIZE = 50
OURSELVES = ("writer", "set-up")
"""Authors of automatic changes, left out of people's changes."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the log; ``next``: the id before which the next page starts, None on the last page."""

    rows: Sequence[Audit]
    next: int | None


async def page_of_audit(
    session: AsyncSession, account_id: int, *, before: int | None = None, people: bool = False, size: int = SIZE
) -> AuditPage:
    """Return a page of the log. ``before``: only rows older than this id; ``people``: only changes by people."""
    mine = [col(Audit.account_id) == account_id]
    mine += [col(Audit.who).not_in(OURSELVES)] if people else []
    mine += [col(Audit.id) < before] if before is not None else []
    found = (await session.exec(select(Audit).where(*mine).order_by(col(Audit.id).desc()).limit(size + 1))).all()
    rows = found[:size]
    return AuditPage(rows, rows[-1].id if len(found) > size else None)
