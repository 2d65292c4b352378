"""Who changed what in an account, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import Audit

SIZE = 50
OURSELVES = ("writer", "set-up")
"""What we did by ourselves is not among what people changed."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    rows: Sequence[Audit]
    next: int | None


async def page_of_audit(
    session: AsyncSession, account_id: int, *, before: int | None = None, people: bool = False, size: int = SIZE
) -> AuditPage:
    """``before``: only rows older than this one. ``people``: only what people changed."""
    mine = [col(Audit.account_id) == account_id]
    mine += [col(Audit.who).not_in(OURSELVES)] if people else []
    mine += [col(Audit.id) < before] if before is not None else []
    found = (await session.exec(select(Audit).where(*mine).order_by(col(Audit.id).desc()).limit(size + 1))).all()
    rows = found[:size]
    return AuditPage(rows, rows[-1].id if len(found) > size else None)
