"""A deal's sendings on the card: one line each, newest first."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.automation.sendings.words import say_reason, words
from backend.core.i18n import Texts
from backend.storage.models import Sending
from backend.storage.reading import all_of

MOST_LINES = 20
NOT_WORTH_SAYING = ("no_bot",)
"""A channel that the account never chose is no obstacle."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sending.

    ``user_id``: who pressed Send, 0 for automatic ones; then ``rule`` names the cause. ``is_open``: the outcome is not
    final.
    """

    id: str
    request_id: str
    at: float
    text: str
    user_id: int
    rule: str
    is_open: bool


async def lines_of(
    session: AsyncSession, account_id: int, lead_ids: Sequence[int], request_ids: Collection[str], language: str
) -> list[Line]:
    """Return the lines of these requests in ``language``, or English if we don't speak it; [] without sendings.

    ``lead_ids``: the deal, and those that were merged into it.
    """
    if not request_ids:
        return []
    mine = (col(Sending.account_id) == account_id, col(Sending.lead_id).in_(lead_ids))
    rows = select(Sending).where(*mine).order_by(col(Sending.created_at).desc(), col(Sending.id)).limit(MOST_LINES)
    return [line_of(row, language) for row in await all_of(session, rows) if row.request_id in request_ids]


def line_of(row: Sending, language: str) -> Line:
    """Return the line of one sending, with its text in ``language``; ``at``: when it was sent, else created (epoch
    seconds).
    """
    return Line(
        id=row.id,
        request_id=row.request_id,
        at=row.sent_at or row.created_at,
        text=" ".join(_said(row, words(language))),
        user_id=row.user_id,
        rule=row.origin_name,
        is_open=row.due_at is not None,
    )


def _said(row: Sending, texts: Texts) -> Iterator[str]:
    yield texts.say(_key(row, texts))
    for one in row.refusals:
        if one["why"] not in NOT_WORTH_SAYING:
            yield say_reason(texts, one["channel"], one["why"])


def _key(row: Sending, texts: Texts) -> str:
    if row.state == "waiting":
        held = f"line_{row.reason}"
        return held if held in texts.sentences else "line_waiting"
    if row.state == "dropped":
        known = f"dropped_{row.reason}"
        return known if known in texts.sentences else "dropped"
    if row.state == "done":
        return f"line_chat_{row.delivery or 'unknown'}" if row.channel == "chat" else f"line_{row.channel}"
    return "line_doubtful" if row.state == "doubtful" else "line_sending"
