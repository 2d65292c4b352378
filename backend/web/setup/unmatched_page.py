"""``GET /admin/unmatched``: payments without a deal, each with a form that attaches it to one."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.admin.unmatched import unmatched
from backend.resources import Resources
from backend.web.frame.entering import Payments
from backend.web.frame.frame import Frame
from backend.web.http.deps import ResourcesDep
from backend.web.setup.account_page import PageState

router = APIRouter(include_in_schema=False)


@router.get("/admin/unmatched")
async def payments_without_a_deal(
    frame: Payments, resources: ResourcesDep, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Return the account's payments without a deal, newest first; ``done`` names the change to report."""
    return await unmatched_page(resources, frame, PageState(done=done))


async def unmatched_page(resources: Resources, frame: Frame, state: PageState) -> Response:
    """Return the unmatched payments with a form's result, and the status of its error."""
    return frame.render(
        "app/unmatched.html",
        state.error.status if state.error else 200,
        unmatched=await unmatched(resources, only=frame.account.id),
        done=frame.say("done_attach") if state.done == "attach" else "",
        error=state.error,
        form=state.form,
        typed=state.typed,
    )
