"""``GET /admin/payments``: all payments and open requests, searched, filtered and summed up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from backend.accounts.stripe.connections import connections_of
from backend.admin.payment_list.filters import STATES, WHATS
from backend.admin.payment_list.pages import LinePage, Place
from backend.admin.payment_list.refresh import bring_up_to_date
from backend.admin.payment_list.search import deals_as_named
from backend.admin.payment_list.sums import ListSum, page_and_sums
from backend.admin.unmatched import count_unmatched
from backend.admin.users import team_of
from backend.core.cache import CacheSpec
from backend.kommo_api.values import Lead, User
from backend.ledger.load import is_live
from backend.resources import Resources
from backend.storage.models import PaymentLine, StripeConnection
from backend.stripe_api.dashboard import page_of
from backend.web.finance.asked import Asked, asked_of
from backend.web.finance.signs import sign_of
from backend.web.frame.entering import Payments
from backend.web.frame.frame import Frame
from backend.web.http.deps import ResourcesDep

router = APIRouter(include_in_schema=False)
USERS = CacheSpec[int, Sequence[User]](60.0, most=1000)
"""By account id."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; ``sign``: (colour class, symbol) of its state."""

    line: PaymentLine
    state: str
    sign: tuple[str, str]
    deal: str
    """The deal's name in Kommo, "" while Kommo does not answer."""
    stripe_url: str


@router.get("/admin/payments")
async def payments(request: Request, frame: Payments, resources: ResourcesDep) -> Response:
    """Return a page of the filtered payments with their sums per currency; ``after`` in the query is the place to
    continue.
    """
    account, now = frame.account, resources.clock()
    behind = await bring_up_to_date(resources, account.id)
    connections = await connections_shown(resources, account.id)
    livemode = is_live(account, connections)
    query = request.query_params
    asked = await asked_of(resources, account.id, query, livemode=livemode, timezone=account.timezone)
    async with resources.database.read() as session:
        place = Place.read(query.get("after", ""))
        page, sums = await page_and_sums(session, account.id, asked.wanted, now, place)
        lost = await count_unmatched(session, account.id)
    leads = {line.lead_id for line in page.lines}
    names, users = await asyncio.gather(deals_as_named(resources, account.id, leads), _users(resources, account.id))
    return frame.render(
        "app/payments.html",
        rows=[row_of(line, names) for line in page.lines],
        sums=sums,
        behind=behind,
        asked=asked,
        next=_next(frame, asked, page),
        first=_address(frame, "/admin/payments", asked),
        is_first=not query.get("after"),
        file=_address(frame, "/admin/payments.csv", asked),
        unmatched=lost,
        **_choices(frame, connections, sums, users),
    )


async def connections_shown(resources: Resources, account_id: int) -> list[StripeConnection]:
    """Return the account's Stripe connections."""
    async with resources.database.read() as session:
        return await connections_of(session, account_id)


async def _users(resources: Resources, account_id: int) -> Sequence[User]:
    """Return the account's users for the filter, at most a minute old: paging must not use Kommo's rate limit."""
    known = resources.caches[USERS].get(account_id)
    if known is None:
        known = (await team_of(resources, account_id)).users
        if known:
            resources.caches[USERS].put(account_id, known)
    return known


def _choices(
    frame: Frame, connections: list[StripeConnection], sums: Sequence[ListSum], users: Sequence[User]
) -> dict[str, Any]:
    """Return the options of each filter."""
    return {
        "states": STATES,
        "whats": WHATS,
        "currencies": sorted({one.currency for one in sums}),
        "connections": [(one.id, one.label or one.id) for one in connections],
        "pipelines": [(str(one["id"]), str(one["name"])) for one in frame.account.pipelines],
        "users": [(str(one.id), one.name or one.email) for one in users],
    }


def row_of(line: PaymentLine, names: dict[int, Lead]) -> Row:
    """Return the table's row; ``names``: the deals that Kommo told, by id."""
    lead = names.get(line.lead_id)
    return Row(line, line.state, sign_of(line.state), lead.name if lead else "", stripe_page(line))


def stripe_page(line: PaymentLine) -> str:
    """Return the payment's address in Stripe's dashboard; '' for a request, which is known there only by sessions."""
    if not line.is_payment:
        return ""
    kind = "payments" if line.id.startswith(("pi_", "ch_", "py_")) else "invoices"
    return page_of(kind, line.id.partition(":")[0], line.livemode)


def _next(frame: Frame, asked: Asked, page: LinePage) -> str:
    return _address(frame, "/admin/payments", asked, after=str(page.next)) if page.next else ""


def _address(frame: Frame, path: str, asked: Asked, **more: str) -> str:
    return frame.at(path, **asked.typed, **more)
