"""The list as a CSV file for spreadsheets and accounting. Columns never change their order; new ones come last."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.admin.payment_list.filters import Filter
from backend.admin.payment_list.pages import all_lines
from backend.core.clock import as_datetime
from backend.core.money import major
from backend.storage.db import Database
from backend.storage.models import Account, PaymentLine

COLUMNS = (
    "time_utc", "time_account", "type", "state", "deal", "id", "request", "currency", "amount", "returned", "net",
    "kind", "description", "contact", "created_by", "stripe_account", "mode",
)  # fmt: skip
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
"""What a spreadsheet may parse as the start of a formula or a command."""
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 in the machine's legacy encoding."""


async def file_of(
    database: Database, account: Account, wanted: Filter, labels: Mapping[str, str], now: float
) -> AsyncIterator[str]:
    """Yield the CSV file in portions, with amounts in major units; it begins with a byte order mark for Excel.

    ``labels``: the Stripe account's name by the connection's id; ``now``: epoch seconds.
    """
    yield BYTE_ORDER_MARK + _written([COLUMNS])
    zone = _zone(account.timezone)
    async for lines in all_lines(database, account.id, wanted, now):
        yield _written([_row(line, zone, labels) for line in lines])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _row(line: PaymentLine, zone: ZoneInfo, labels: Mapping[str, str]) -> Sequence[object]:
    moment = as_datetime(line.at).replace(microsecond=0)
    amounts = [major(one, line.currency) for one in (line.amount, line.gone, line.amount - line.gone)]
    return (
        moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        moment.astimezone(zone).isoformat(),
        "payment" if line.is_payment else "request",
        line.state,
        line.lead_id,
        harmless(line.id),
        harmless(line.request_id or ""),
        line.currency,
        *amounts,
        line.what,
        harmless(line.description),
        line.contact_id or "",
        line.user_id or "",
        harmless(labels.get(line.connection_id, line.connection_id)),
        "live" if line.livemode else "test",
    )


def harmless(text: str) -> str:
    """Return the text as a cell that no spreadsheet executes: a possible formula gets a leading apostrophe."""
    return f"'{text}" if text.lstrip(" \N{NO-BREAK SPACE}").startswith(RUNS) or text.startswith(RUNS) else text


def _written(rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
