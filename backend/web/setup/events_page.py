"""Pages of *Events*: Stripe's events, a replay's preview, the audit log, and the sessions."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.admin.history.audit import page_of_audit
from backend.admin.history.events import STATES, page_of_events
from backend.admin.history.preview import preview_event
from backend.admin.history.signed_in import signed_in
from backend.admin.users import team_of
from backend.core.ids import usable_number
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import InboxEvent
from backend.web.frame.entering import Events
from backend.web.frame.frame import Frame
from backend.web.http.deps import ResourcesDep
from backend.web.setup.account_page import PageNotFound, PageState
from backend.web.setup.deeds import deed
from backend.web.setup.user_choices import named

router = APIRouter(prefix="/admin/events", include_in_schema=False)
CHANGES = 10
SIGNS = {
    "new": ("warn", "…"), "postponed": ("warn", "…"), "dead": ("bad", "✕"), "done": ("good", "✓"),
    "foreign": ("", "○"), "ignored": ("", "○"),
}  # fmt: skip
Short = Annotated[str, Query(max_length=300)]


@router.get("")
async def events(
    frame: Events, resources: ResourcesDep, state: Short = "", event: Short = "", after: Short = "", done: Short = ""
) -> Response:
    """Return the list of events, filtered by state or id ('' does not filter); ``after`` is the place to continue."""
    return await events_page(resources, frame, PageState(done=done), state=state, event_id=event.strip(), after=after)


async def events_page(
    resources: Resources, frame: Frame, how: PageState, *, state: str = "", event_id: str = "", after: str = ""
) -> Response:
    """Return the list of events with a form's result; ``after`` is the key of the next page."""
    async with resources.database.read() as session:
        page = await page_of_events(session, frame.account.id, state=state, event_id=event_id, after=after)
        dead = await page_of_events(session, frame.account.id, state="dead")
        changes = await page_of_audit(session, frame.account.id, people=True, size=CHANGES)
    team = await team_of(resources, frame.account.id)
    return frame.render(
        "app/events/events.html",
        how.error.status if how.error else 200,
        events=page.events,
        next=frame.at("/admin/events", state=state, after=page.next) if page.next else "",
        state=state,
        states=STATES,
        event_id=event_id,
        given_up=len(dead.events),
        signs=SIGNS,
        changes=changes.rows,
        named=partial(named, team.users),
        deed=partial(deed, frame),
        reason=_reason,
        done=frame.say("done_again") if how.done == "again" else "",
        error=how.error,
        form=how.form,
        typed=how.typed,
    )


@router.get("/log")
async def audit_log(frame: Events, resources: ResourcesDep, before: Short = "") -> Response:
    """Return a page of the audit log, newest first; ``before``: the row's number to continue below, or ''."""
    async with resources.database.read() as session:
        page = await page_of_audit(session, frame.account.id, before=usable_number(before))
    team = await team_of(resources, frame.account.id)
    return frame.render(
        "app/events/audit.html",
        rows=page.rows,
        next=frame.at("/admin/events/log", before=page.next) if page.next else "",
        named=partial(named, team.users),
        deed=partial(deed, frame),
    )


@router.get("/sessions")
async def sessions(frame: Events, resources: ResourcesDep, done: Short = "") -> Response:
    """Return the running sessions of the account's users; ``done`` names the change to report."""
    return await sessions_page(resources, frame, PageState(done=done))


async def sessions_page(resources: Resources, frame: Frame, how: PageState) -> Response:
    """Return the sessions with a form's result, and the status of its error."""
    team = await team_of(resources, frame.account.id)
    return frame.render(
        "app/events/sessions.html",
        how.error.status if how.error else 200,
        sessions=await signed_in(resources, frame.account.id),
        users={user.id: user.name for user in team.users},
        done=frame.say("done_end") if how.done == "end" else "",
        error=how.error,
        form=how.form,
        typed=how.typed,
    )


@router.get("/of/{event_id}")
async def one_event(frame: Events, resources: ResourcesDep, event_id: str) -> Response:
    """Return an event with what replaying it would change. Raises ``PageNotFound``, also for another account's."""
    preview = await preview_event(resources, frame.account.id, event_id)
    if preview is None:
        raise PageNotFound(said("event_unknown"))
    return frame.render("app/events/event.html", preview=preview, event=preview.event, signs=SIGNS, reason=_reason)


def _reason(event: InboxEvent) -> str:
    return event.error or (said("event_waits") if event.state == "postponed" else "")
