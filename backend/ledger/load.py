"""From rows to ``DealLedger`` values, for many deals with the same few queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.ledger.deal import (
    DealLedger,
    Dispute,
    Payment,
    Refund,
    Request,
    Session,
    dispute_of,
    payment_of,
    refund_of,
    session_of,
)
from backend.models import Account, LedgerEntry, PaymentRequest, StripeConnection

Groups = Mapping[tuple[str, str], list[LedgerEntry]]
"""Entries by (connection, the object they hang on)."""


async def load_deals(
    session: AsyncSession, account: Account, lead_ids: Sequence[int], now: float
) -> dict[int, DealLedger]:
    """The ledgers of ``lead_ids``, empty where nothing is known. Only money of the account's mode is in them."""
    connections = await _connections(session, account)
    mode = is_live(account, connections)
    shown = {connection.id for connection in connections if connection.livemode == mode}
    found = await session.exec(
        select(LedgerEntry).where(
            LedgerEntry.account_id == account.id,
            col(LedgerEntry.lead_id).in_(lead_ids),
            col(LedgerEntry.connection_id).in_(shown),
        )
    )
    asked = await session.exec(
        select(PaymentRequest).where(
            PaymentRequest.account_id == account.id,
            col(PaymentRequest.lead_id).in_(lead_ids),
            col(PaymentRequest.connection_id).in_(shown),
        )
    )
    entries, requests = list(found.all()), list(asked.all())
    return {lead_id: _ledger(account, mode, lead_id, entries, requests, now) for lead_id in lead_ids}


def is_live(account: Account, connections: Iterable[StripeConnection]) -> bool:
    """The account's mode; while nobody chose one, live as soon as there is a live connection."""
    if account.mode:
        return account.mode == "live"
    return any(connection.livemode for connection in connections)


async def _connections(session: AsyncSession, account: Account) -> list[StripeConnection]:
    found = await session.exec(select(StripeConnection).where(StripeConnection.account_id == account.id))
    return list(found.all())


def _ledger(
    account: Account,
    livemode: bool,
    lead_id: int,
    entries: Iterable[LedgerEntry],
    requests: Iterable[PaymentRequest],
    now: float,
) -> DealLedger:
    mine = sorted((entry for entry in entries if entry.lead_id == lead_id), key=lambda entry: entry.id)
    sessions: dict[str, list[Session]] = defaultdict(list)
    hanging: dict[tuple[str, str], list[LedgerEntry]] = defaultdict(list)
    for entry in mine:
        if entry.kind == "session" and entry.request_id:
            sessions[entry.request_id].append(session_of(entry.id, entry.facts))
        for parent in entry.facts.get("payment", []):
            hanging[entry.connection_id, parent].append(entry)
    by_id = {(entry.connection_id, entry.id): entry for entry in mine}
    return DealLedger(
        account_currency=account.currency,
        livemode=livemode,
        requests=tuple(
            _request(request, sessions[request.id])
            for request in sorted(requests, key=lambda one: (one.created_at, one.id))
            if request.lead_id == lead_id
        ),
        payments=tuple(_payment(entry, by_id, hanging, livemode) for entry in mine if entry.kind == "payment"),
        ended_subscriptions=tuple(
            (entry.id, entry.facts["ended"])
            for entry in mine
            if entry.kind == "subscription" and "ended" in entry.facts
        ),
        now=now,
    )


def _request(row: PaymentRequest, sessions: Iterable[Session]) -> Request:
    return Request(
        id=row.id,
        amount=row.amount,
        currency=row.currency,
        description=row.description,
        mode=row.mode,
        kind=row.kind,
        deal_total=row.deal_total,
        created_at=row.created_at,
        created_by=row.user_id,
        expires_at=row.expires_at,
        cancelled=row.cancelled_at is not None,
        replaced_by=row.replaced_by,
        opened=row.opened_at is not None,
        link_token=row.link_token,
        stage_seen=row.stage_seen,
        sessions=tuple(sessions),
    )


def _payment(
    entry: LedgerEntry, by_id: Mapping[tuple[str, str], LedgerEntry], hanging: Groups, livemode: bool
) -> Payment:
    around = hanging.get((entry.connection_id, entry.id), [])
    refunds: list[Refund] = [refund_of(one.id, one.facts) for one in around if one.kind == "refund"]
    disputes: list[Dispute] = [dispute_of(one.id, one.facts) for one in around if one.kind == "dispute"]
    parents = [
        by_id[entry.connection_id, parent]
        for name in ("session", "invoice")
        for parent in entry.facts.get(name, [])
        if (entry.connection_id, parent) in by_id
    ]
    subscriptions = sorted(name for parent in parents for name in parent.facts.get("subscription", []))
    splits = [session_of(parent.id, parent.facts).split for parent in parents if parent.kind == "session"]
    return payment_of(
        entry.id,
        entry.facts,
        request_id=entry.request_id,
        subscription=subscriptions[0] if subscriptions else None,
        livemode=livemode,
        split=splits[0] if splits else None,
        refunds=refunds,
        disputes=disputes,
    )
