"""``render``: ledger of a deal → what its card should show. It reads nothing, so it can be asked at any time."""

import hashlib
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass

from backend.card.texts import Texts
from backend.ledger.deal import DealLedger, Dispute, Payment, Refund
from backend.money import Money, as_decimal

STAGE_SECONDS = 72 * 3600.0
"""A stage move starts bots that write to clients: never for money that is older than this."""
TASK_LEAD_SECONDS = 2 * 24 * 3600.0
"""A dispute's task is due two days before Stripe's date."""


@dataclass(frozen=True, slots=True)
class Note:
    """Written once per fact. ``marker`` is in the text, so that a note can be found again at Kommo."""

    fact_id: str
    text: str
    marker: str


@dataclass(frozen=True, slots=True)
class Task:
    """For the responsible user, once per fact; closed by us when ``healed``."""

    fact_id: str
    text: str
    due_at: float
    healed: bool


@dataclass(frozen=True, slots=True)
class StageGoal:
    """The deal has earned a move: ``kind`` is ``paid`` or ``first``, once per ``fact_id``."""

    kind: str
    fact_id: str
    old: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """``fields``: code → text, a number as text, seconds, a state of the list, or None for empty."""

    fields: dict[str, str | int | None]
    notes: tuple[Note, ...]
    tasks: tuple[Task, ...]
    stages: tuple[StageGoal, ...]
    has_money: bool


def render(ledger: DealLedger, texts: Texts, *, link_base: str, test: bool) -> Wanted:
    """``link_base`` is the public address that permanent links begin with; ``test`` marks every note."""
    return Wanted(
        fields=_fields(ledger, link_base) if ledger.requests or ledger.payments else {},
        notes=tuple(_notes(ledger, texts, test)),
        tasks=tuple(_tasks(ledger, texts, test)),
        stages=tuple(_stages(ledger)),
        has_money=bool(ledger.received_anywhere) or any(ledger.is_settled(r) for r in ledger.requests),
    )


def _fields(ledger: DealLedger, link_base: str) -> dict[str, str | int | None]:
    latest, link = ledger.latest, ledger.open_request
    return {
        "STRIPE_PAYMENT_STATUS": ledger.state,
        "STRIPE_AMOUNT_PAID": _number(ledger.gross, ledger.currency),
        "STRIPE_REFUNDED": _number(ledger.refunded, ledger.currency),
        "STRIPE_OUTSTANDING": _number(ledger.outstanding, ledger.currency),
        "STRIPE_CURRENCY": ledger.currency,
        "STRIPE_PAYMENT_INTENT": latest.id if latest else None,
        "STRIPE_PAYMENT_DATE": int(latest.paid_at) if latest and latest.paid_at else None,
        "STRIPE_PAYMENTS": str(len(ledger.received_anywhere)),
        "STRIPE_PAYMENT_LINK": f"{link_base}/p/{link.link_token}" if link else None,
    }


def _number(amount: int, currency: str) -> str:
    """Major units as Kommo's numeric field gives them back: no trailing zeros."""
    value = as_decimal(amount, currency)
    return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _notes(ledger: DealLedger, texts: Texts, test: bool) -> Iterator[Note]:
    for payment in ledger.received_anywhere:
        yield _note(f"payment:{payment.id}", _payment_text(ledger, payment, texts), texts, test)
        for refund in payment.refunds:
            if refund.final:
                yield _note(f"refund:{refund.id}", _refund_text(payment, refund, texts), texts, test)
        for dispute in payment.disputes:
            yield from _dispute_notes(payment, dispute, texts, test)
    for request in ledger.paid_twice:
        paid = ", ".join(p.id for p in ledger.payments_of(request) if p.received)
        yield _note(
            f"twice:{request.id}", texts.say("paid_twice", description=request.description, ids=paid), texts, test
        )
    for request in ledger.requests:
        if ledger.is_settled(request) and not any(p.received for p in ledger.payments_of(request)):
            session = next((s.id for s in request.sessions if s.settled), request.id)
            text = texts.say("settled_free", description=request.description, id=session)
            yield _note(f"free:{request.id}", text, texts, test)
    for subscription, _ in ledger.ended_subscriptions:
        yield _note(f"ended:{subscription}", texts.say("subscription_ended", id=subscription), texts, test)


def _note(fact_id: str, text: str, texts: Texts, test: bool) -> Note:
    marker = _marker(fact_id)
    return Note(fact_id, f"{'TEST ' if test else ''}{text} {texts.say('marker', marker=marker)}", marker)


def _marker(fact_id: str) -> str:
    """Short, made from the fact: the same fact always has the same one."""
    return b32encode(hashlib.sha256(fact_id.encode()).digest()[:5]).decode().lower()


def _payment_text(ledger: DealLedger, payment: Payment, texts: Texts) -> str:
    amount = str(Money(payment.amount, payment.currency))
    parts = [texts.say("paid_outside" if payment.outside else "payment", amount=amount, id=payment.id)]
    request = next((r for r in ledger.requests if r.id == payment.request_id), None)
    if request is not None and request.description:
        parts.append(texts.say("for_what", description=request.description))
    if payment.split is not None:
        parts += _split_text(payment, texts)
    if payment.presentment is not None and payment.presentment[1] != payment.currency:
        parts.append(texts.say("presentment", amount=str(Money(*payment.presentment))))
    if payment.currency != ledger.currency:
        parts.append(texts.say("other_currency", currency=ledger.currency))
    return " ".join(parts)


def _split_text(payment: Payment, texts: Texts) -> list[str]:
    subtotal, discount, shipping, tax = payment.split or (0, 0, 0, 0)
    named = [("split_discount", -discount), ("split_shipping", shipping), ("split_tax", tax)]
    extras = [
        texts.say(name, amount=("+ " if part > 0 else "- ") + str(Money(abs(part), payment.currency)))
        for name, part in named
        if part
    ]
    return [f"({Money(subtotal, payment.currency)} {' '.join(extras)})"] if extras else []


def _refund_text(payment: Payment, refund: Refund, texts: Texts) -> str:
    return texts.say("refund", amount=str(Money(refund.amount, refund.currency)), id=refund.id, payment=payment.id)


def _dispute_notes(payment: Payment, dispute: Dispute, texts: Texts, test: bool) -> Iterator[Note]:
    amount = str(Money(dispute.amount, dispute.currency))
    named = {"amount": amount, "id": dispute.id, "payment": payment.id, "reason": dispute.reason.replace("_", " ")}
    yield _note(f"dispute:{dispute.id}", texts.say("dispute_opened", **named), texts, test)
    if dispute.state in ("won", "lost"):
        text = texts.say(f"dispute_{dispute.state}", **named)
        yield _note(f"dispute:{dispute.id}:{dispute.state}", text, texts, test)


def _tasks(ledger: DealLedger, texts: Texts, test: bool) -> Iterator[Task]:
    prefix = "TEST " if test else ""
    for payment in ledger.received_anywhere:
        for dispute in payment.disputes:
            due = (dispute.due_by or ledger.now + 3 * TASK_LEAD_SECONDS) - TASK_LEAD_SECONDS
            amount = str(Money(dispute.amount, dispute.currency))
            text = prefix + texts.say("dispute_task", amount=amount, id=dispute.id)
            yield Task(f"dispute:{dispute.id}", text, due, healed=dispute.state != "open")
    for request in ledger.paid_twice:
        paid = [payment for payment in ledger.payments_of(request) if payment.received]
        healed = sum(payment.refunded < payment.amount for payment in paid) <= 1
        text = prefix + texts.say("paid_twice_task", description=request.description)
        yield Task(f"twice:{request.id}", text, ledger.now + 24 * 3600.0, healed=healed)


def _stages(ledger: DealLedger) -> Iterator[StageGoal]:
    """Once per request, or once per payment where there is no request; renewals never.

    On money in part the goal is ``first``, on the whole ``paid``.
    """
    kind = {"paid": "paid", "partially_paid": "first"}.get(ledger.state)
    if kind is None:
        return
    latest = ledger.latest
    if latest is None:
        settled = [request for request in ledger.requests if ledger.is_settled(request)]
        moments = [s.completed_at or 0.0 for r in settled for s in r.sessions if s.settled]
        fact, at = (settled[-1].id if settled else ""), max(moments, default=0.0)
    else:
        fact, at = latest.request_id or latest.subscription or latest.id, latest.paid_at or 0.0
    if fact:
        yield StageGoal(kind, f"{kind}:{fact}", old=ledger.now - at > STAGE_SECONDS)
