"""*Ask for what is open* in Kommo's list of deals: a preview, a run, and its progress."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.automation.lists.preview import MOST_DEALS, preview
from backend.automation.lists.runs import Progress, begin, progress_of
from backend.payments.schemas import KommoId, read
from backend.web.http.deps import ResourcesDep
from backend.web.http.json_body import json_body
from backend.web.http.schemas import body_of, refusals
from backend.web.widget import Language, UserDep

router = APIRouter(prefix="/widget/lists", responses=refusals(400, 401, 403, 404, 409, 413, 422, 429, 502, 503))
Leads = Annotated[list[KommoId], Field(min_length=1, max_length=MOST_DEALS)]


class LeadsBody(BaseModel):
    """The chosen deals, by Kommo's ids."""

    model_config = ConfigDict(extra="ignore")

    lead_ids: Leads


class RunBody(LeadsBody):
    """A run over the chosen deals; ``send`` also sends the links.

    ``run_id`` is made by the widget, so that a repeated call begins nothing.
    """

    run_id: UUID
    send: bool = False


class RowAnswer(BaseModel):
    """A deal in the preview: the formatted ``amount`` that would be asked for, else ``why`` none would."""

    lead_id: int
    name: str
    amount: str
    why: str


class PreviewAnswer(BaseModel):
    """The preview's rows."""

    rows: list[RowAnswer]


class ProgressAnswer(BaseModel):
    """A run's progress as numbers of deals; ``left`` are still to be processed."""

    total: int
    asked: int
    not_asked: int
    left: int


@router.post("/preview", openapi_extra=body_of(LeadsBody))
async def show_preview(
    request: Request, resources: ResourcesDep, user: UserDep, lang: Language = "en"
) -> PreviewAnswer:
    """Return what a run would ask for, creating nothing; deals that the user may not ask for are left out.

    Raises ``NotAllowed`` or ``KommoUnreachable``.
    """
    body = read(LeadsBody, await json_body(request))
    rows = await preview(resources, user, body.lead_ids, lang)
    shown = [RowAnswer(lead_id=one.lead_id, name=one.name, amount=one.amount, why=one.why) for one in rows]
    return PreviewAnswer(rows=shown)


@router.post("", status_code=202, openapi_extra=body_of(RunBody))
async def begin_run(request: Request, resources: ResourcesDep, user: UserDep) -> ProgressAnswer:
    """Begin a run and return its progress. Raises ``NotAllowed`` or ``KommoUnreachable``.

    The worker takes deal by deal, also if the user leaves the page.
    """
    body = read(RunBody, await json_body(request))
    return _answer(await begin(resources, user, str(body.run_id), body.lead_ids, send=body.send))


@router.get("/{run_id}")
async def show_run(resources: ResourcesDep, user: UserDep, run_id: UUID) -> ProgressAnswer:
    """Return the progress of the user's run. Raises ``RuleNotFound`` for an unknown run or one of another user."""
    return _answer(await progress_of(resources, user, str(run_id)))


def _answer(progress: Progress) -> ProgressAnswer:
    told = {"total": progress.total, "asked": progress.asked, "not_asked": progress.not_asked}
    return ProgressAnswer(**told, left=progress.left)
