"""Routes of the app's forms. A save redirects to its page; a refused one shows the form again with the reason.

All answer 401 with the sign-in page without a session, and raise ``AccountNotFound`` for an unknown account.
"""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from backend.accounts.branding.logo import put_logo
from backend.accounts.lookup import not_connected
from backend.admin.sessions import Visitor
from backend.core.errors import NotAllowed, ProductError
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.web.frame.auth import OwnForm, current_visitor
from backend.web.frame.frame import Frame, frame_of
from backend.web.frame.login import login_page
from backend.web.frame.rendering import message
from backend.web.http.deps import AccountId, ResourcesDep
from backend.web.http.file_body import file_body
from backend.web.http.form_body import form_body
from backend.web.setup import saves
from backend.web.setup.account_page import PageState, topic_page
from backend.web.setup.chasing import save_chasing
from backend.web.setup.deal_page import deal_page
from backend.web.setup.events_page import events_page, sessions_page
from backend.web.setup.topics import BY_FORM
from backend.web.setup.unmatched_page import unmatched_page

router = APIRouter(prefix="/admin/accounts/{account_id}", dependencies=[OwnForm], include_in_schema=False)
SECRETS = ("api_key", "webhook_secret", "client_secret")


@router.post("/stages")
async def stages(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save the stage rules (``saves.save_stages``) and redirect (303) to their page, or show the warning there."""
    return await _done(request, resources, account_id, "stages", saves.save_stages)


@router.post("/rights")
async def rights(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save which users may create, refund and see payments (``saves.save_rights``), and redirect (303) to that page."""
    return await _done(request, resources, account_id, "rights", saves.save_rights)


@router.post("/business")
async def business(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save the business's name and contacts for its clients, and redirect (303) to their page."""
    return await _done(request, resources, account_id, "business", saves.save_business)


@router.post("/mode")
async def mode(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save whether new links are live or test, and shadow mode, and redirect (303) to their page."""
    return await _done(request, resources, account_id, "mode", saves.save_mode)


@router.post("/due")
async def due(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save the default due date and validity of requests, both in days, and redirect (303) to their page."""
    return await _done(request, resources, account_id, "due", saves.save_due)


@router.post("/sending")
async def sending(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save how and when links are sent to clients (``saves.save_sending``), and redirect (303) to that page."""
    return await _done(request, resources, account_id, "sending", saves.save_sending)


@router.post("/reminders")
async def reminders(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save the reminder rules and the stages without reminders, and redirect (303) to their page."""
    return await _done(request, resources, account_id, "reminders", save_chasing)


@router.post("/bots")
async def bots(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save whether bots may wait for a payment (``saves.save_bots``), and redirect (303) to that page."""
    return await _done(request, resources, account_id, "bots", saves.save_bots)


@router.post("/deals")
async def deals(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Save notes, renewals and the other options of deals (``saves.save_deals``), and redirect (303) to their page."""
    return await _done(request, resources, account_id, "deals", saves.save_deals)


@router.post("/logo")
async def logo(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Store the uploaded picture as the account's logo and redirect (303) to its page.

    The only form with a file: multipart, field ``logo``. A file that is no usable picture shows the form again.
    """

    async def put(resources: Resources, account_id: int, _typed: saves.Typed, who: str) -> str:
        await put_logo(resources, account_id, await file_body(request, "logo"), who=who)
        return ""

    return await _done(request, resources, account_id, "logo", put, has_fields=False)


@router.post("/logo/remove")
async def no_logo(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Remove the account's logo, whose URL then stops working, and redirect (303) to its page."""
    return await _done(request, resources, account_id, "no_logo", saves.take_logo_away)


@router.post("/stripe")
async def stripe(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Connect a Stripe key and redirect (303) to its page, or show there which permissions it lacks. Typed secrets are
    never shown again.
    """
    return await _done(request, resources, account_id, "stripe", saves.connect_stripe)


@router.post("/stripe/remove")
async def no_stripe(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Remove a draining Stripe connection and redirect (303) to its page, or show there what is left at Stripe."""
    return await _done(request, resources, account_id, "no_stripe", saves.disconnect_stripe)


@router.post("/attach")
async def attach_payment(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Attach a payment to the deal of field ``lead_id`` and redirect (303) to the list of unmatched payments."""
    return await _done(request, resources, account_id, "attach", saves.attach_payment)


@router.post("/hook")
async def hook(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Replace the secret address of Kommo's hook if it can't be shown any more, and redirect (303) to its page."""
    return await _done(request, resources, account_id, "hook", saves.make_hook)


@router.post("/keys")
async def keys(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Store a new secret key of the account's own integration and redirect (303) to its page, or show there why a
    waiting installation did not connect.
    """
    return await _done(request, resources, account_id, "keys", saves.save_secret)


@router.post("/again")
async def events_again(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Replay the event ``event_id``, or all that were given up if it is '', and redirect (303) to the events."""
    return await _done(request, resources, account_id, "again", saves.work_events_in)


@router.post("/move")
async def agree_to_move(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """Carry out the offered stage move of the deal ``lead_id`` and redirect (303) to the deal's page."""
    return await _done(request, resources, account_id, "move", saves.move_deal)


@router.post("/sessions/end")
async def session_ended(request: Request, resources: ResourcesDep, account_id: AccountId) -> Response:
    """End the session of field ``session`` and redirect (303) to the list of sessions."""
    return await _done(request, resources, account_id, "end", saves.end_one_session)


async def _done(
    request: Request,
    resources: Resources,
    account_id: int,
    form: str,
    act: Callable[[Resources, int, saves.Typed, str], Awaitable[str]],
    *,
    has_fields: bool = True,
) -> Response:
    """Run a save. ``act`` returns a warning to show, or '': then the browser is redirected to the page."""
    visitor = await current_visitor(request)
    if visitor is None:
        return login_page(request, said("signed_out"), status=401)
    typed = await form_body(request) if has_fields else {}
    visitor.check(account_id)
    try:
        warning = await act(resources, account_id, typed, visitor.who)
    except NotAllowed as error:
        return message(request, "m_not_allowed", error.message, status=error.status)
    except ProductError as error:
        kept = {name: value for name, value in typed.items() if name not in SECRETS}
        state = PageState(form=form, typed=kept, error=error)
        return await _page_of(resources, await _frame(request, resources, account_id, visitor, form), state)
    frame = await _frame(request, resources, account_id, visitor, form)
    if warning:
        return await _page_of(resources, frame, PageState(done=form, form=form, warning=warning))
    return RedirectResponse(frame.at(_path(form), done=form, deal=typed.get("lead_id") if form == "move" else ""), 303)


ELSEWHERE = {
    "attach": "/admin/unmatched",
    "again": "/admin/events",
    "end": "/admin/events/sessions",
    "move": "/admin/deal",
}
"""Pages of the forms that belong to no topic."""


def _path(form: str) -> str:
    topic = BY_FORM.get(form)
    return f"/admin/{topic.page}/{topic.name}" if topic else ELSEWHERE[form]


async def _frame(request: Request, resources: Resources, account_id: int, visitor: Visitor, form: str) -> Frame:
    place = BY_FORM[form].page if form in BY_FORM else "events" if form in ("again", "end") else "payments"
    frame = await frame_of(request, resources, visitor, place, str(account_id))
    if frame is None:  # an account was named
        raise not_connected(account_id)
    return frame


async def _page_of(resources: Resources, frame: Frame, state: PageState) -> Response:
    """Return the page that has the form."""
    if state.form in BY_FORM:
        return await topic_page(resources, frame, BY_FORM[state.form], state)
    if state.form == "attach":
        return await unmatched_page(resources, frame, state)
    if state.form == "again":
        return await events_page(resources, frame, state)
    if state.form == "end":
        return await sessions_page(resources, frame, state)
    return await deal_page(resources, frame, state.typed.get("lead_id", ""), state)
