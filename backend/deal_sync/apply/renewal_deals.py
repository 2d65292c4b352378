"""A new deal for each paid period of a subscription, if an admin chose so; created once per payment.

The contract's deal keeps the first period. A row is stored before the call; after a lost answer the new deal is found
by the payment's Stripe id, which it has from the start. If Kommo refuses the new deal, the payment stays on the
contract's deal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.core.errors import NotConnected
from backend.core.money import as_decimal
from backend.deal_sync import outbox
from backend.deal_sync.apply.send import may_have_happened
from backend.deal_sync.outbox import State, Write
from backend.deal_sync.plan import IN_DOUBT, zone_of
from backend.deal_sync.revisions import Page, Recheck
from backend.facts import Fact
from backend.kommo_api.errors import KommoError, KommoForbidden, KommoRefused, KommoUnpaid
from backend.kommo_api.values import INCOMING, LOST, WON, Lead, NewLead
from backend.ledger.absorb import absorb
from backend.ledger.deal import DealLedger
from backend.ledger.parts import Payment
from backend.resources import Resources
from backend.storage.models import Account, CardWrite, LedgerEntry, StripeConnection
from backend.work_queue.leases import Claim, fence
from backend.work_queue.wakeups import mark_dirty

CLOCKS_APART = 120.0
"""Assumed difference in seconds between Kommo's clock and ours, for a search by creation time."""
INTENT = "STRIPE_PAYMENT_INTENT"

log = structlog.get_logger()


@dataclass(frozen=True)
class Period:
    """A renewal that gets a deal of its own; ``write`` is its row, or None if it has not begun."""

    lead: Lead
    payment: Payment
    write: CardWrite | None

    def as_write(self, state: State) -> Write:
        """The outbox row of this renewal in the given state."""
        return Write(self.lead.id, "deal", f"period:{self.payment.id}", {}, state)


async def split_off(resources: Resources, claim: Claim, page: Page, leads: Mapping[int, Lead]) -> dict[int, Recheck]:
    """Create the deals of new renewals; return rechecks, by id, for contracts' deals that lost a period or still wait.

    Raises ``KommoError`` and ``NotConnected``; the row then tells whether the creation is in doubt.
    """
    later: dict[int, Recheck] = {}
    for lead in leads.values():
        for period in _periods(page, lead):
            at = await _split(resources, claim, page.account, period)
            if at is not None:
                later[lead.id] = Recheck(at)
    return later


def _periods(page: Page, lead: Lead) -> Iterable[Period]:
    """Renewals that have begun, whatever the option says now, and new ones."""
    begun = {write.fact_id: write for write in page.writes[lead.id] if write.kind == "deal"}
    new = {payment.id for payment in renewals(page.account, page.ledgers[lead.id], page.writes[lead.id])}
    for payment in page.ledgers[lead.id].received_anywhere:
        write = begun.get(f"period:{payment.id}")
        is_open = write is not None and write.state in IN_DOUBT | {"intended"}
        if is_open or payment.id in new:
            yield Period(lead, payment, write)


def renewals(account: Account, ledger: DealLedger, writes: Iterable[CardWrite]) -> list[Payment]:
    """The renewals that should get a deal of their own: not begun yet, and not noted on the contract's deal already."""
    known = {(write.kind, write.fact_id) for write in writes if write.kind == "deal" or write.state != "intended"}
    return [
        payment
        for payment in ledger.received_anywhere
        if options_of(account).renewals == "new_deal"
        and payment.renewal
        and not payment.attached
        and not known & {("deal", f"period:{payment.id}"), ("note", f"payment:{payment.id}")}
    ]


async def _split(resources: Resources, claim: Claim, account: Account, period: Period) -> float | None:
    """When to process the contract's deal again, in Unix seconds; None if the period stays on it."""
    write = period.write
    if write is not None and write.state in IN_DOUBT:
        due_at = write.sent_at + resources.settle_seconds
        if due_at > resources.clock():
            return due_at
        made = await _found(resources, account, period, write.sent_at)
        if made is not None:
            return await _join(resources, claim, account, period, made)
    await outbox.record(resources, claim, period.as_write("sent"))
    try:
        made = await _made(resources, account, period)
    except (KommoRefused, KommoForbidden, KommoUnpaid) as error:
        await _stays(resources, claim, account, period, str(error))
        return None
    except (KommoError, NotConnected) as error:
        state: State = "doubtful" if may_have_happened(error) else "intended"
        await outbox.record(resources, claim, period.as_write(state))
        raise
    return await _join(resources, claim, account, period, made)


async def _found(resources: Resources, account: Account, period: Period, since: float) -> int | None:
    """The id of the new deal, found by the Stripe id in our field or in its name, which holds it without the field."""
    stripe_id = period.payment.stripe_id
    field_id = int(account.fields[INTENT]["id"]) if INTENT in account.fields else 0
    since -= CLOCKS_APART
    for lead in await with_kommo(resources, account.id, lambda api: api.leads_made_since(since)):
        if stripe_id in lead.name or any(value.value == stripe_id for value in lead.fields.get(field_id, ())):
            return lead.id
    return None


async def _made(resources: Resources, account: Account, period: Period) -> int:
    """Create the deal with the contract's contact, without a responsible user if Kommo refuses that user (for
    example one who left)."""
    contract = await with_kommo(resources, account.id, lambda api: api.lead(period.lead.id))
    new = _new_lead(account, contract or period.lead, period.payment, resources.clock())
    try:
        return await with_kommo(resources, account.id, lambda api: api.create_lead(new))
    except KommoRefused as refusal:
        if not any(path.endswith("responsible_user_id") for path in refusal.paths):
            raise
    nobodys = replace(new, responsible_user_id=None)
    return await with_kommo(resources, account.id, lambda api: api.create_lead(nobodys))


def _new_lead(account: Account, contract: Lead, payment: Payment, now: float) -> NewLead:
    day = datetime.fromtimestamp(payment.paid_at or 0.0, zone_of(account)).date().isoformat()
    price = as_decimal(payment.amount, payment.currency).quantize(1, ROUND_HALF_UP)
    has_field = INTENT in account.fields
    words = ["" if payment.livemode else "TEST", contract.name, day, "" if has_field else payment.stripe_id]
    return NewLead(
        name=" ".join(word for word in words if word),
        pipeline_id=contract.pipeline_id,
        status_id=_stage(account, contract, moves=_moves(account, payment, now)),
        price=int(price) if payment.currency == account.currency else None,
        responsible_user_id=contract.responsible_user_id,
        contact_id=contract.main_contact_id,
        fields={int(account.fields[INTENT]["id"]): payment.stripe_id} if has_field else {},
    )


def _moves(account: Account, payment: Payment, now: float) -> bool:
    """True if this payment may put the deal into the stage of paid deals, which starts bots that write to clients."""
    return payment.livemode and now - (payment.paid_at or 0.0) <= options_of(account).stage_hours * 3600


def _stage(account: Account, contract: Lead, *, moves: bool) -> int:
    """The stage that the rules give a paid deal, so that it need not be moved; else the pipeline's first stage."""
    statuses = [s for p in account.pipelines if p["id"] == contract.pipeline_id for s in p["statuses"]]
    chosen = (account.stages.get(str(contract.pipeline_id)) or {}).get("paid")
    if moves and chosen is not None and chosen in {status["id"] for status in statuses}:
        return int(chosen)
    open_ones = [s for s in statuses if s["id"] not in (WON, LOST) and s.get("type") != INCOMING]
    return int(min(open_ones, key=lambda s: s["sort"])["id"]) if open_ones else contract.status_id


async def _join(resources: Resources, claim: Claim, account: Account, period: Period, made: int) -> float:
    """Assign the payment to its new deal in one unit of work; returns when to process the contract's deal again."""
    async with resources.database.write() as session:
        now = resources.clock()
        await fence(session, claim, now)
        await outbox.put(session, claim, [replace(period.as_write("done"), kommo_id=made)], now)
        changed = {period.lead.id, made}
        for connection in await _connections(session, account.id, period.payment.id):
            changed |= (await absorb(session, connection, [Fact(period.payment.id, "period", made)])).deals
        await mark_dirty(session, account.id, changed, now)
    return now


async def _connections(session: AsyncSession, account_id: int, payment_id: str) -> Sequence[StripeConnection]:
    """The connections that heard of a payment: two if its Stripe account was connected twice."""
    found = await session.exec(
        select(StripeConnection)
        .join(LedgerEntry, col(LedgerEntry.connection_id) == StripeConnection.id)
        .where(LedgerEntry.account_id == account_id, LedgerEntry.id == payment_id, LedgerEntry.kind == "payment")
        .order_by(StripeConnection.id)
    )
    return found.all()


async def _stays(resources: Resources, claim: Claim, account: Account, period: Period, reason: str) -> None:
    """Mark the new deal as *dead*. The contract's deal then notes the payment like any renewal, and the admin sees the
    refusal (``admin.renewals``)."""
    log.error("renewal deal refused", account=account.id, deal=period.lead.id, reason=reason)
    await outbox.record(resources, claim, replace(period.as_write("dead"), error=reason))
