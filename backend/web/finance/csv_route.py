"""``GET /admin/payments.csv``: the filtered payments as a file that is streamed."""

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from backend.admin.payment_list.csv_file import file_of
from backend.admin.payment_list.refresh import bring_up_to_date
from backend.core.clock import as_datetime
from backend.core.errors import Unavailable
from backend.core.sentences.said import said
from backend.ledger.load import is_live
from backend.web.finance.asked import asked_of, zone_of
from backend.web.finance.payments import connections_shown
from backend.web.frame.entering import Payments
from backend.web.http.deps import ResourcesDep

router = APIRouter(include_in_schema=False)
FILE_SECONDS = 20.0
BEHIND = said("list_behind")


@router.get("/admin/payments.csv")
async def payments_file(request: Request, frame: Payments, resources: ResourcesDep) -> StreamingResponse:
    """Stream the filtered payments as CSV.

    The file goes into other books, so one that would miss deals is refused: raises ``Unavailable``.
    """
    account, now = frame.account, resources.clock()
    if await bring_up_to_date(resources, account.id, seconds=FILE_SECONDS):
        raise Unavailable(BEHIND)
    connections = await connections_shown(resources, account.id)
    asked = await asked_of(
        resources,
        account.id,
        request.query_params,
        livemode=is_live(account, connections),
        timezone=account.timezone,
    )
    if asked.silent:
        raise Unavailable(said("names_not_searched"))
    labels = {one.id: one.label or one.id for one in connections}
    day = as_datetime(now).astimezone(zone_of(account.timezone)).date().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="payments-{account.id}-{day}.csv"'}
    body = file_of(resources.database, account, asked.wanted, labels, now)
    return StreamingResponse(body, media_type="text/csv; charset=utf-8", headers=headers)
