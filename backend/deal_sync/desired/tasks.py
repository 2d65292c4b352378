"""Tasks for the responsible user, one per fact. They depend on the ledger alone, so their due dates never change."""

from collections.abc import Iterator
from dataclasses import replace

from backend.core.i18n import date_of
from backend.core.money import Money, listed
from backend.deal_sync.desired.chases import chase_tasks
from backend.deal_sync.desired.task import Task
from backend.deal_sync.desired.texts import Texts
from backend.ledger.deal import DealLedger, Dispute, Request

DAY = 24 * 3600.0
LEAD_SECONDS = 2 * DAY
"""A dispute's task is due two days before Stripe's date."""
STRIPES_TIME = "UTC"
"""Time zone of Stripe's due dates."""
DISPUTE_SECONDS = 7 * DAY
"""Time to answer if Stripe names no date: the shortest that card schemes allow."""


def tasks_of(ledger: DealLedger, texts: Texts, test: bool, timezone: str = "UTC") -> Iterator[Task]:
    """The tasks of the ledger: disputes, double payments, overpayment, failed renewals and chases.

    ``test`` prefixes each text with "TEST "; ``timezone`` is an IANA name.
    """
    for fact_id, text, due_at, healed in _tasks(ledger, texts):
        yield Task(fact_id, _marked(text, test), due_at, healed)
    for task in chase_tasks(ledger, texts, timezone):
        yield replace(task, text=_marked(task.text, test))


def _marked(text: str, test: bool) -> str:
    return f"{'TEST ' if test else ''}{text}"


def _tasks(ledger: DealLedger, texts: Texts) -> Iterator[tuple[str, str, float, bool]]:
    for payment in ledger.received_anywhere:
        for dispute in payment.disputes:
            if dispute.was_inquiry:
                yield _inquiry(dispute, texts)
            if not dispute.is_inquiry:
                yield _dispute(dispute, texts)
    for request in ledger.paid_twice:
        twice = _subscribed_twice if request.mode == "subscription" else _paid_twice
        yield twice(ledger, request, texts)
    if ledger.strays:
        yield _overpaid(ledger, texts)
    for renewal in ledger.failed_renewals:
        amount = str(Money(renewal.amount, renewal.currency))
        text = texts.say("renewal_failed_task", amount=amount, id=renewal.invoice)
        yield f"renewal:{renewal.invoice}", text, renewal.failed_at + DAY, renewal.healed


def _dispute(dispute: Dispute, texts: Texts) -> tuple[str, str, float, bool]:
    due = (dispute.due_by or dispute.at + DISPUTE_SECONDS) - LEAD_SECONDS
    text = texts.say("dispute_task", amount=str(Money(dispute.amount, dispute.currency)), id=dispute.id)
    return f"dispute:{dispute.id}", text, due, dispute.state != "open"


def _inquiry(dispute: Dispute, texts: Texts) -> tuple[str, str, float, bool]:
    """The task of an inquiry, healed when the inquiry was answered, ended or became a dispute."""
    due = (dispute.due_by or dispute.at + DISPUTE_SECONDS) - LEAD_SECONDS
    name = "inquiry_task" if dispute.due_by else "inquiry_task_undated"
    date = date_of(dispute.due_by or 0.0, STRIPES_TIME, texts.language)
    if not dispute.answerable:
        name = "inquiry_task_refund"
    text = texts.say(name, amount=str(Money(dispute.amount, dispute.currency)), id=dispute.id, date=date)
    return f"inquiry:{dispute.id}", text, due, dispute.status != "warning_needs_response"


def _subscribed_twice(ledger: DealLedger, request: Request, texts: Texts) -> tuple[str, str, float, bool]:
    """The task of a double subscription, healed when at most one of the subscriptions runs."""
    ended = {contract for contract, _ in ledger.ended_subscriptions}
    running = [contract for contract in ledger.contracts_of(request) if contract not in ended]
    moments = [payment.paid_at or 0.0 for payment in ledger.received_for(request)]
    moments += [session.completed_at or 0.0 for session in request.sessions]
    text = texts.say("subscribed_twice_task", description=request.description)
    return f"twice:{request.id}", text, min(moment for moment in moments if moment) + DAY, len(running) <= 1


def _paid_twice(ledger: DealLedger, request: Request, texts: Texts) -> tuple[str, str, float, bool]:
    """The task of a double payment, healed when at most one of the payments is not fully refunded or lost."""
    paid = ledger.received_for(request)
    kept = sum(payment.gone < payment.amount for payment in paid)
    due = (paid[-1].paid_at or 0.0) + DAY
    return f"twice:{request.id}", texts.say("paid_twice_task", description=request.description), due, kept <= 1


def _overpaid(ledger: DealLedger, texts: Texts) -> tuple[str, str, float, bool]:
    """The task of an overpaid deal, one per deal; healed while nothing exceeds the expected amount."""
    due = (ledger.strays[0].paid_at or 0.0) + DAY
    amount = listed(ledger.beyond or [Money(0, ledger.currency)])
    return "overpaid", texts.say("overpaid_task", amount=amount), due, not ledger.beyond
