"""``GET /admin/setup/test``: a test payment from end to end, each leg ticked as it comes true."""

from fastapi import APIRouter, Response

from backend.admin.first_payment.end_to_end import end_to_end
from backend.web.frame.entering import Setup
from backend.web.http.deps import ResourcesDep

router = APIRouter()


@router.get("/admin/setup/test")
async def test(frame: Setup, resources: ResourcesDep) -> Response:
    async with resources.database.read() as session:
        found = await end_to_end(session, frame.account, resources.clock())
    return frame.render("app/test.html", found=found)
