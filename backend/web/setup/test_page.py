"""``GET /admin/setup/test``: a test payment from end to end, each step ticked once it is done."""

from fastapi import APIRouter, Response

from backend.admin.first_payment.end_to_end import end_to_end
from backend.web.frame.entering import Setup
from backend.web.http.deps import ResourcesDep

router = APIRouter(include_in_schema=False)


@router.get("/admin/setup/test")
async def test(frame: Setup, resources: ResourcesDep) -> Response:
    """Return the page with the progress of the account's newest test payment, step by step."""
    async with resources.database.read() as session:
        found = await end_to_end(session, frame.account, resources.clock())
    return frame.render("app/test.html", found=found)
