"""Shadow mode: the intended writes are recorded, and nothing is written to Kommo.

It lets an admin try this service next to other software or manual work. The rows stay *intended*: once shadow mode is
off, the writer fetches the deals and writes whatever still differs.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.tokens.call import with_kommo
from backend.core.money import display
from backend.deal_sync import outbox, revisions
from backend.deal_sync.apply.renewal_deals import renewals
from backend.deal_sync.desired.render import Wanted
from backend.deal_sync.plan import Plan, is_test, plan, wanted_of, zone_of
from backend.deal_sync.redraw import mark_portion
from backend.deal_sync.revisions import Page
from backend.kommo_api.deal_fields import STATES
from backend.kommo_api.values import Lead
from backend.ledger.deal import DealLedger
from backend.resources import Resources
from backend.storage.models import Account, CardWrite, Deal
from backend.work_queue.leases import Claim, fence

DEALS = 250
AT_ONCE = 50
"""Deals whose plans are recorded in one unit of work: webhooks wait for it."""
DAYS = {"date_time": "%Y-%m-%d %H:%M", "date": "%Y-%m-%d"}
Fields = dict[str, tuple[str, str]]
"""Field code → (current text, wanted text)."""
Plans = Mapping[int, tuple[Plan, Wanted]]


@dataclass
class Foreseen:
    """A deal in shadow mode. ``fields``: differences when the news came; ``today``: differences now.

    ``renewals`` would become deals of their own; the other values still count them on this deal.
    """

    lead_id: int
    name: str = ""
    is_gone: bool = False
    fields: Fields = field(default_factory=dict)
    today: Fields = field(default_factory=dict)
    stage: str = ""
    notes: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    renewals: list[str] = field(default_factory=list)


async def record_dry_run(resources: Resources, claim: Claim) -> None:
    """Record the writes that this account's new facts would cause, until nothing is new.

    Raises ``KommoError``, ``NotConnected`` and ``LeaseLost``.
    """
    while True:
        async with resources.database.write() as session:
            await fence(session, claim, resources.clock())
            await revisions.touch_expired(session, claim.account_id, resources.clock(), DEALS)
        page = await _news(resources, claim.account_id)
        if page is None and await mark_portion(resources, claim):
            continue
        if page is None:
            return
        leads = await _leads(resources, page)
        plans = await _plans(resources, page, leads)
        seen = list(page.seen.items())
        for first in range(0, len(seen), AT_ONCE):
            await _record(resources, claim, page.account, leads, plans, dict(seen[first : first + AT_ONCE]))


async def _record(
    resources: Resources, claim: Claim, account: Account, leads: Mapping[int, Lead], plans: Plans, seen: dict[int, int]
) -> None:
    """Record the plans of the deals in ``seen`` (deal → its revision) in one unit of work."""
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        for lead_id in seen.keys() & plans.keys():
            one, wanted = plans[lead_id]
            fields = _fields(account, leads[lead_id], one, wanted)
            await outbox.record_dry_run(session, claim, one, fields, resources.clock())
        await _foreseen_up_to(session, account.id, seen)


async def report(resources: Resources, account_id: int) -> AsyncIterator[Foreseen]:
    """Every deal that would have been written, with its differences now. Fetches 250 deals per call from Kommo."""
    after = 0
    while page := await _next_page(resources, account_id, after):
        leads = await _leads(resources, page)
        plans = await _plans(resources, page, leads)
        for lead_id in sorted(page.seen):
            shown = _foreseen(page.account, lead_id, page.ledgers[lead_id], page.writes[lead_id])
            shown.is_gone = lead_id not in leads
            if not shown.is_gone:
                shown.name, shown.today = leads[lead_id].name, _fields(page.account, leads[lead_id], *plans[lead_id])
            yield shown
        after = max(page.seen)


async def _news(resources: Resources, account_id: int) -> Page | None:
    """The next deals whose news were not recorded yet. They are read outside a unit of work, because their ledgers are
    many rows; what changes meanwhile has a newer revision."""
    new = select(Deal).where(Deal.account_id == account_id, col(Deal.foreseen) < col(Deal.wanted))
    async with resources.database.read() as session:
        deals = (await session.exec(new.order_by(col(Deal.dirty_since)).limit(DEALS))).all()
        return await revisions.page_of(session, account_id, deals, resources.clock()) if deals else None


async def _next_page(resources: Resources, account_id: int, after: int) -> Page | None:
    chosen = select(Deal).where(Deal.account_id == account_id, col(Deal.foreseen) > 0, col(Deal.lead_id) > after)
    async with resources.database.read() as session:
        deals = (await session.exec(chosen.order_by(col(Deal.lead_id)).limit(DEALS))).all()
        return await revisions.page_of(session, account_id, deals, resources.clock()) if deals else None


async def _leads(resources: Resources, page: Page) -> dict[int, Lead]:
    return await with_kommo(resources, page.account.id, lambda api: api.leads(list(page.seen)))


async def _foreseen_up_to(session: AsyncSession, account_id: int, seen: Mapping[int, int]) -> None:
    mine = (revisions.DEAL.c.account_id == account_id, revisions.DEAL.c.lead_id == bindparam("lead"))
    rows = [{"lead": lead_id, "revision": revision} for lead_id, revision in sorted(seen.items())]
    foreseen = update(revisions.DEAL).where(*mine).values(foreseen=bindparam("revision"))
    await (await session.connection()).execute(foreseen, rows)


async def _plans(resources: Resources, page: Page, leads: Mapping[int, Lead]) -> Plans:
    """The plan of each fetched deal, with what is wanted. Other tasks run in between, among them the webhooks."""
    plans = {}
    for lead_id, lead in leads.items():
        ledger = page.ledgers[lead_id]
        wanted = wanted_of(page.account, ledger, resources.addresses.public_url, page.tasks.get(lead_id, ()))
        plans[lead_id] = plan(lead, wanted, page.writes[lead_id], page.account, test=is_test(ledger)), wanted
        await asyncio.sleep(0)
    return plans


def _fields(account: Account, lead: Lead, one: Plan, wanted: Wanted) -> Fields:
    """The fields that would change, with the current and the wanted value as people read them."""
    codes, zone = {int(meta["id"]): code for code, meta in account.fields.items()}, zone_of(account)
    return {
        code: (said(meta, _there(lead, key), zone), said(meta, wanted.fields[code], zone))
        for key in one.fields
        if (meta := account.fields[code := codes[key]])
    }


def _there(lead: Lead, field_id: int) -> Any:
    values = lead.fields.get(field_id, ())
    return values[0].value if values else None


def said(meta: Mapping[str, Any], value: Any, zone: ZoneInfo) -> str:
    """A field's value as Kommo's card shows it, with dates in the account's time zone; '' for None."""
    if value is None:
        return ""
    if meta["type"] in DAYS and str(value).isdigit():
        return datetime.fromtimestamp(int(value), zone).strftime(DAYS[meta["type"]])
    return STATES.get(str(value), str(value))


def _foreseen(account: Account, lead_id: int, ledger: DealLedger, writes: Sequence[CardWrite]) -> Foreseen:
    periods = renewals(account, ledger, writes)
    shown = Foreseen(lead_id, renewals=[f"{display(one.amount, one.currency)} ({one.stripe_id})" for one in periods])
    for write in (one for one in writes if one.state == "intended"):
        if write.kind == "fields":
            shown.fields = {code: (there, wanted) for code, (there, wanted) in write.content.items()}
        elif write.kind == "stage":
            shown.stage = _stage(account, write.content)
        else:
            (shown.notes if write.kind == "note" else shown.tasks).append(write.content["text"])
    return shown


def _stage(account: Account, content: Mapping[str, Any]) -> str:
    if "to" not in content:
        return f"stays: {content['stayed']}"
    statuses = [s for p in account.pipelines if p["id"] == content["pipeline"] for s in p["statuses"]]
    return "moves to " + next((str(s["name"]) for s in statuses if s["id"] == content["to"]), str(content["to"]))
