"""``render``: the ledger of a deal → the wanted card. It does no I/O, so it can be called at any time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from backend.core.money import as_decimal
from backend.core.sentences.said import said
from backend.deal_sync.desired.notes import Note, notes_of
from backend.deal_sync.desired.task import Task
from backend.deal_sync.desired.tasks import tasks_of
from backend.deal_sync.desired.texts import Texts
from backend.ledger.deal import DealLedger, Payment

__all__ = ["Note", "StageGoal", "Task", "Wanted", "render"]

STAGE_HOURS = 72
"""A stage move starts bots that write to clients, so for older money than this (hours) it is only offered."""
UNPAID_TAG, OVERDUE_TAG = "Unpaid", "Overdue"
FIELDS = (
    "STRIPE_PAYMENT_STATUS", "STRIPE_AMOUNT_PAID", "STRIPE_REFUNDED", "STRIPE_OUTSTANDING", "STRIPE_CURRENCY",
    "STRIPE_PAYMENT_INTENT", "STRIPE_PAYMENT_DATE", "STRIPE_PAYMENTS", "STRIPE_PAYMENT_LINK",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StageGoal:
    """A stage move that the deal has earned: ``kind`` is ``paid`` or ``first``, once per ``fact_id``.

    ``held``: the reason why the move is only offered to a person, or '' if it is made.
    """

    kind: str
    fact_id: str
    held: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted card. ``fields``: code → text, number as text, Unix seconds, state of the list, or None for empty."""

    fields: dict[str, str | int | None]
    notes: tuple[Note, ...]
    tasks: tuple[Task, ...]
    stages: tuple[StageGoal, ...]
    has_money: bool
    tags: Mapping[str, bool] = field(default_factory=dict)
    """Tag → whether the deal should have it; no other tag is touched."""


def render(
    ledger: DealLedger,
    texts: Texts,
    *,
    link_base: str,
    test: bool,
    stage_hours: int = STAGE_HOURS,
    timezone: str = "UTC",
    tags: bool = False,
) -> Wanted:
    """The wanted card of a deal.

    ``link_base`` is the public address before ``/p/…`` links; ``test`` prefixes every note and task; ``stage_hours``:
    money older than this moves no deal by itself; ``timezone``: an IANA name; ``tags``: also set the debt tags.
    """
    return Wanted(
        fields=_fields(ledger, link_base),
        notes=tuple(notes_of(ledger, texts, test)),
        tasks=tuple(tasks_of(ledger, texts, test, timezone)),
        stages=tuple(_stages(ledger, stage_hours)),
        tags=_tags(ledger) if tags else {},
        has_money=bool(ledger.received_anywhere) or any(ledger.is_settled(r) for r in ledger.requests),
    )


def _fields(ledger: DealLedger, link_base: str) -> dict[str, str | int | None]:
    """The wanted fields: {} if nothing is known, all None if the payments that we wrote belong to another deal now."""
    if not ledger.requests and not ledger.payments:
        return dict.fromkeys(FIELDS) if ledger.emptied else {}
    latest, link = ledger.latest, ledger.open_request
    return {
        "STRIPE_PAYMENT_STATUS": ledger.state,
        "STRIPE_AMOUNT_PAID": _number(ledger.gross, ledger.currency),
        "STRIPE_REFUNDED": _number(ledger.refunded, ledger.currency),
        "STRIPE_OUTSTANDING": _number(ledger.outstanding, ledger.currency),
        "STRIPE_CURRENCY": ledger.currency,
        "STRIPE_PAYMENT_INTENT": latest.stripe_id if latest else None,
        "STRIPE_PAYMENT_DATE": int(latest.paid_at) if latest and latest.paid_at else None,
        "STRIPE_PAYMENTS": str(len(ledger.received_anywhere)),
        "STRIPE_PAYMENT_LINK": f"{link_base}/p/{link.link_token}" if link else None,
    }


def _tags(ledger: DealLedger) -> dict[str, bool]:
    """The debt tags; {} for a deal without requests, where such a tag may be a person's own."""
    unpaid = [one for one in ledger.requests if ledger.request_state(one) in ("pending", "failed")]
    is_overdue = any(one.overdue_at is not None and one.overdue_at <= ledger.now for one in unpaid)
    return {UNPAID_TAG: bool(unpaid), OVERDUE_TAG: is_overdue} if ledger.requests else {}


def _number(amount: int, currency: str) -> str:
    """The amount in major units without trailing zeros, as Kommo returns it (docs/facts/kommo-api.md 7.3)."""
    value = as_decimal(amount, currency)
    return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _stages(ledger: DealLedger, hours: int) -> Iterator[StageGoal]:
    """One goal per request, or per payment without a request; never for renewals or their sum.

    A part of the money earns ``first``, all of it ``paid``.
    """
    earned = replace(ledger, payments=tuple(payment for payment in ledger.payments if not payment.renewal))
    kind = {"paid": "paid", "partially_paid": "first"}.get(earned.state)
    if kind is None:
        return
    fact, at = _earned_by(earned)
    if fact:
        is_old = ledger.now - at > hours * 3600
        held = said("stays_money_old", hours=hours) if is_old else _held(earned.latest)
        yield StageGoal(kind, f"{kind}:{fact}", held=held)


def _earned_by(ledger: DealLedger) -> tuple[str, float]:
    """The id of the request, subscription or payment that earned the move, and its time in Unix seconds; without a
    payment, the request that was settled for nothing."""
    latest = ledger.latest
    if latest is not None:
        return latest.request_id or latest.subscription or latest.id, latest.paid_at or 0.0
    settled = [request for request in ledger.requests if ledger.is_settled(request)]
    moments = [s.completed_at or 0.0 for r in settled for s in r.sessions if s.settled]
    return (settled[-1].id if settled else ""), max(moments, default=0.0)


def _held(latest: Payment | None) -> str:
    """Why new money moves no deal by itself, or '': nobody expects bots to write to clients for it."""
    if latest is None:
        return ""
    late = said("stays_found_late")
    return said("stays_attached_by_hand") if latest.attached else late if latest.crowd else ""
