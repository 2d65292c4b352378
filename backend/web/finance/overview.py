"""``GET /admin``: the account at a glance."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from backend.accounts.install.waiting import waiting_installations
from backend.admin.first_payment.checklist import checklist
from backend.admin.overview.attention import errands_of
from backend.admin.overview.health import health_of
from backend.admin.overview.money import MonthsOf, ages_of, months_of
from backend.admin.payment_list.filters import Filter
from backend.admin.payment_list.pages import page_of_lines
from backend.admin.payment_list.refresh import bring_up_to_date
from backend.core.i18n import month_of
from backend.ledger.load import is_live
from backend.web.finance.asked import zone_of
from backend.web.finance.bars import Chart, chart_of
from backend.web.finance.payments import connections_shown, row_of
from backend.web.frame.entering import Overview
from backend.web.frame.frame import Frame
from backend.web.http.deps import ResourcesDep

router = APIRouter(include_in_schema=False)
LAST = 5
CHARTS = 3
"""Currencies with a chart each; the table has all of them."""
SIGNS = {"well": ("good", "✓"), "watch": ("warn", "!"), "bad": ("bad", "✕"), "unknown": ("", "○")}


@dataclass(frozen=True, slots=True)
class Money:
    """A currency's months as the page shows them; amounts are minor units."""

    currency: str
    months: tuple[tuple[str, int, int, int], ...]
    """(name, received, gone, net)"""
    chart: Chart | None


@router.get("/admin")
async def overview(frame: Overview, resources: ResourcesDep) -> Response:
    """Return the overview page: money by month, ages, last payments, tasks and health.

    Users of finance see only the tasks that are theirs; the operator also sees waiting installations.
    """
    account, now, zone = frame.account, resources.clock(), zone_of(frame.account.timezone)
    behind = await bring_up_to_date(resources, account.id)
    livemode = is_live(account, await connections_shown(resources, account.id))
    async with resources.database.read() as session:
        months = await months_of(session, account.id, livemode=livemode, now=now, zone=zone)
        ages = await ages_of(session, account.id, livemode=livemode, now=now)
        last = await page_of_lines(session, account.id, Filter(livemode, state="received"), now, None, LAST)
        errands = await errands_of(session, account, livemode=livemode, now=now)
        health = await health_of(session, account, now)
    shown = frame.visitor.is_operator
    return frame.render(
        "app/overview.html",
        steps=await checklist(resources, account.id),
        behind=behind,
        livemode=livemode,
        money=[_money(frame, one, number < CHARTS) for number, one in enumerate(months)],
        ages=ages,
        last=[row_of(line, {}) for line in last.lines],
        errands=[one for one in errands if one.finance or frame.visitor.may_change],
        health=[(one, SIGNS[one.word]) for one in health],
        installations=await waiting_installations(resources) if shown else None,
    )


def _money(frame: Frame, one: MonthsOf, has_chart: bool) -> Money:
    """The chart shows what remained of each month's payments."""
    timezone = frame.account.timezone
    long = [month_of(month.begins, timezone, frame.language) for month in one.months]
    short = [month_of(month.begins, timezone, frame.language, short=True) for month in one.months]
    said = [f"{name}: {frame.money(month.net, one.currency)}" for name, month in zip(long, one.months, strict=True)]
    chart = chart_of([month.net for month in one.months], short, said) if has_chart else None
    rows = tuple((name, each.received, each.gone, each.net) for name, each in zip(long, one.months, strict=True))
    return Money(one.currency, rows, chart)
