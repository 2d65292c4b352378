"""``GET /admin/deal``: why a deal is not paid, what was written to it, and what waits for a decision."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import select

from backend.admin.stage_moves import offered_moves
from backend.core.ids import usable_number
from backend.core.money import exponent
from backend.payments.deal.summary import look_at_deal
from backend.resources import Resources
from backend.storage.models import Account, CardWrite, Deal
from backend.web.frame.entering import Payments
from backend.web.frame.frame import Frame
from backend.web.http.deps import ResourcesDep
from backend.web.http.schemas import DealAnswer, May, deal_answer
from backend.web.setup.account_page import PageState

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class LookedUp:
    """A deal as the page shows it."""

    lead_id: int
    answer: DealAnswer
    deal: Deal | None
    writes: list[CardWrite]
    offered: str
    """The name of the stage to which the deal may be moved; '' if no move waits for a decision."""
    language: str
    """The language of the explanation."""


@router.get("/admin/deal")
async def deal(
    frame: Payments,
    resources: ResourcesDep,
    deal: Annotated[str, Query(max_length=30)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Return the page of the deal with the typed number; without a usable number only the search form."""
    return await deal_page(resources, frame, deal, PageState(done=done))


async def deal_page(resources: Resources, frame: Frame, deal: str, state: PageState) -> Response:
    """Return the page of a deal with a form's result, and the status of its error; ``deal`` is the typed number."""
    lead_id = usable_number(deal) or 0
    looked_up = await look_up(resources, frame.account.id, lead_id, frame.language) if lead_id else None
    return frame.render(
        "app/deal.html",
        state.error.status if state.error else 200,
        deal=deal,
        looked_up=looked_up,
        money=partial(_money, frame),
        when=partial(_moment, frame),
        done=frame.say("done_move") if state.done == "move" else "",
        error=state.error,
        form=state.form,
        typed=state.typed,
    )


async def look_up(resources: Resources, account_id: int, lead_id: int, language: str) -> LookedUp:
    """Return the deal as its card would show it, with what was written to Kommo and the offered move."""
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
        seen = await look_at_deal(session, account, lead_id, resources.clock(), language)
        deal = await session.get(Deal, (account_id, lead_id))
        writes = await session.exec(
            select(CardWrite).where(CardWrite.account_id == account_id, CardWrite.lead_id == lead_id)
        )
        moves = await offered_moves(session, account_id, lead_id)
    rights = May(create=True, refund=False)
    answer = deal_answer(seen, resources.addresses.public_url, may=rights)
    offered = _stage_name(account, moves[-1].content["offered"]) if moves else ""
    return LookedUp(lead_id, answer, deal, list(writes.all()), offered, language)


def _money(frame: Frame, amount: str, currency: str) -> str:
    """Return an amount in major units, as the card's answer has it, in the page's language."""
    return frame.money(int(Decimal(amount).scaleb(exponent(currency))), currency)


def _moment(frame: Frame, time: str) -> str:
    """Return a time of the card's answer (RFC 3339) in the account's time zone."""
    return frame.moment(datetime.fromisoformat(time).timestamp())


def _stage_name(account: Account, status_id: int) -> str:
    statuses = (status for pipeline in account.pipelines for status in pipeline["statuses"])
    return next((str(status["name"]) for status in statuses if status["id"] == status_id), str(status_id))
