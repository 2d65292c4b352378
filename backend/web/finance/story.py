"""``GET /admin/payments/{lead_id}/{line_id}``: the story of one payment or request."""

from fastapi import APIRouter, Response

from backend.admin.payment_list.search import deals_as_named
from backend.admin.payment_list.story import story_of
from backend.admin.users import team_of
from backend.core.errors import PaymentNotFound
from backend.core.ids import usable_id, usable_number
from backend.core.sentences.said import said
from backend.web.finance.payments import stripe_page
from backend.web.finance.signs import sign_of
from backend.web.frame.entering import Payments
from backend.web.http.deps import ResourcesDep

router = APIRouter(include_in_schema=False)


@router.get("/admin/payments/{lead_id}/{line_id}")
async def story(frame: Payments, resources: ResourcesDep, lead_id: str, line_id: str) -> Response:
    """Return the page of one payment or request with its steps. Raises ``PaymentNotFound``, also for unusable ids."""
    number, now = usable_number(lead_id), resources.clock()
    found = None
    if number is not None and usable_id(line_id):
        async with resources.database.read() as session:
            found = await story_of(session, frame.account, number, line_id, now)
    if found is None or number is None:
        raise PaymentNotFound(said("payment_not_on_deal"))
    names = await deals_as_named(resources, frame.account.id, [number])
    team = await team_of(resources, frame.account.id)
    state = found.line.state
    return frame.render(
        "app/story.html",
        line=found.line,
        steps=found.steps,
        state=state,
        sign_pair=sign_of(state),
        deal=names[number].name if number in names else "",
        users={str(user.id): user.name for user in team.users},
        stripe_url=stripe_page(found.line),
    )
