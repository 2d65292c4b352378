"""Pages of one account's set-up and automation: the list of topics, each topic's form, and the result of a save."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.accounts.lookup import not_connected
from backend.admin.first_payment.checklist import checklist
from backend.admin.history.bot_waits import Waited, last_waits
from backend.admin.history.stage_entries import last_entries
from backend.admin.stripe_identity import identities
from backend.core.errors import ProductError
from backend.core.i18n import weekdays_of
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.web.frame.entering import Automation, Setup
from backend.web.frame.frame import Frame
from backend.web.http.deps import ResourcesDep
from backend.web.setup.chasing import Shown, shown_chasing
from backend.web.setup.context import key_form, shown
from backend.web.setup.sending_choices import sending_choices
from backend.web.setup.topics import BY_FORM, BY_NAME, Topic, topics_of
from backend.web.setup.user_choices import choices, named

router = APIRouter(include_in_schema=False)
LANGUAGES = {"en": "English", "es": "Español", "pt": "Português", "tr": "Türkçe", "id": "Indonesia", "ru": "Русский"}
Done = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class PageState:
    """The result of a form.

    ``done``: a form that was saved; ``form``: the form to which ``typed`` and ``error`` belong.
    """

    done: str = ""
    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    """The values of ``form``, without secrets."""
    error: ProductError | None = None
    """Shown next to the field of ``form`` that it names."""
    warning: str = ""


@router.get("/admin/setup")
async def setup(frame: Setup, resources: ResourcesDep) -> Response:
    """Return the list of set-up topics with the steps missing for the first payment, from our database alone."""
    steps = await checklist(resources, frame.account.id)
    return frame.render("app/setup.html", steps=steps, topics=topics_of("setup"))


@router.get("/admin/automation")
async def automation(frame: Automation, resources: ResourcesDep) -> Response:
    """Return the list of automation topics with the account's latest stage entries, in the visitor's language."""
    async with resources.database.read() as session:
        entries = await last_entries(session, frame.account.id, frame.language)
    return frame.render("app/automation.html", topics=topics_of("automation"), entries=entries)


@router.get("/admin/setup/{name}")
async def setup_topic(frame: Setup, resources: ResourcesDep, name: str, done: Done = "") -> Response:
    """Return the page of a set-up topic; ``done``: the form whose save it confirms, or ''.

    Raises ``PageNotFound``.
    """
    return await topic_page(resources, frame, _topic(name, "setup"), PageState(done=done))


@router.get("/admin/automation/{name}")
async def automation_topic(frame: Automation, resources: ResourcesDep, name: str, done: Done = "") -> Response:
    """Return the page of an automation topic; ``done``: the form whose save it confirms, or ''.

    Raises ``PageNotFound``.
    """
    return await topic_page(resources, frame, _topic(name, "automation"), PageState(done=done))


async def _chasing(resources: Resources, frame: Frame, state: PageState) -> Shown:
    return await shown_chasing(resources, frame.account.id, state.typed if state.form == "reminders" else {})


async def _waits(resources: Resources, frame: Frame) -> list[Waited]:
    async with resources.database.read() as session:
        return await last_waits(session, frame.account.id)


def _topic(name: str, page: str) -> Topic:
    found = BY_NAME.get(name)
    if found is None or found.page != page:
        raise PageNotFound(said("page_unknown"))
    return found


class PageNotFound(ProductError):
    """No page has this address."""

    status, code = 404, "not_found"


async def topic_page(resources: Resources, frame: Frame, topic: Topic, state: PageState) -> Response:
    """Return a topic's page with its form. Raises ``AccountNotFound``."""
    found = await shown(resources, frame.account.id)
    if found is None:
        raise not_connected(frame.account.id)
    return frame.render(
        f"app/topics/{topic.name}.html",
        state.error.status if state.error else 200,
        topic=topic,
        found=found,
        options=found.row["options"],
        choices=partial(choices, found.team.users),
        named=partial(named, found.team.users),
        languages=LANGUAGES,
        identities=await identities(resources, frame.account.id) if topic.name == "stripe" else {},
        sending=await sending_choices(resources, frame.account) if topic.name == "sending" else None,
        weekdays=weekdays_of(frame.language),
        waits=await _waits(resources, frame) if topic.name == "bots" else (),
        chasing=await _chasing(resources, frame, state) if topic.name == "reminders" else None,
        key_forms={mode: key_form(mode) for mode in ("live", "test")},
        done=frame.say(f"done_{state.done}") if state.done in BY_FORM else "",
        warning=state.warning,
        error=state.error,
        form=state.form,
        typed=state.typed,
    )
