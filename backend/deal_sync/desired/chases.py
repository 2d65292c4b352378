"""Tasks about unpaid requests: the client replied, or the reminders are over and nothing was paid."""

from collections.abc import Iterator

from backend.core.i18n import date_of, written_day
from backend.core.money import Money
from backend.deal_sync.desired.task import Task
from backend.deal_sync.desired.texts import Texts
from backend.ledger.deal import DealLedger, Request
from backend.ledger.parts import Chase

DAY = 24 * 3600.0
UNPAID = ("pending", "failed", "processing", "expired")
WORDS = {"overdue": "chase_overdue", "escalated": "chase_escalated"}


def chase_tasks(ledger: DealLedger, texts: Texts, timezone: str) -> Iterator[Task]:
    """The tasks for each chase of the deal's requests.

    A task is healed once the money came or the request was withdrawn. A payment under way may still fail, and an
    expired link does not end the debt. ``timezone`` is an IANA name.
    """
    for request in ledger.requests:
        for chase in request.chases:
            yield Task(
                fact_id=f"chase:{request.id}:{chase.step}",
                text=_text(request, chase, texts),
                due_at=chase.at + DAY,
                healed=ledger.request_state(request) not in UNPAID,
                user_id=chase.user_id,
                result=_result(ledger, request, texts, timezone),
            )


def _text(request: Request, chase: Chase, texts: Texts) -> str:
    name = WORDS.get(chase.step, "chase_replied")
    date = written_day(request.due_on, texts.language) if request.due_on else ""
    amount = str(Money(request.amount, request.currency))
    return texts.say(name, amount=amount, description=request.description, date=date)


def _result(ledger: DealLedger, request: Request, texts: Texts, timezone: str) -> str:
    paid = ledger.received_for(request)
    if not paid:
        return texts.say("chase_over")
    amount, at = str(Money(paid[0].amount, paid[0].currency)), paid[0].paid_at or 0.0
    return texts.say("chase_paid", amount=amount, date=date_of(at, timezone, texts.language))
