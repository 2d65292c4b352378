"""Notes: fixed sentences, each written once per fact, with Stripe's id and a marker by which it is found again."""

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.core.money import Money, listed
from backend.deal_sync.desired.texts import Texts
from backend.ledger.deal import DealLedger, Dispute, Payment, Refund

Said = tuple[str, str]
"""(fact id, text)"""


@dataclass(frozen=True, slots=True)
class Note:
    """Written once per fact. ``marker`` goes before the text, so that a note can be found again at Kommo."""

    fact_id: str
    text: str
    marker: str


def notes_of(ledger: DealLedger, texts: Texts, test: bool) -> Iterator[Note]:
    for fact_id, text in _said(ledger, texts):
        yield Note(fact_id, f"{'TEST ' if test else ''}{text}", _marker(fact_id))


def as_one(notes: Iterable[Note], texts: Texts, *more: str) -> str:
    """The text of one note for all these facts, each a paragraph. The markers stand before anything that a person
    wrote: a reading that is cut or changed there still shows them."""
    said = tuple(notes)
    markers = [texts.say("marker", marker=note.marker) for note in said]
    return "\n".join((" ".join((*markers, said[0].text)), *(note.text for note in said[1:]), *more))


def _marker(fact_id: str) -> str:
    """Short, made from the fact: the same fact always has the same one."""
    return b32encode(hashlib.sha256(fact_id.encode()).digest()[:5]).decode().lower()


def _said(ledger: DealLedger, texts: Texts) -> Iterator[Said]:
    for gone in ledger.merged:
        yield f"merged:{gone}", texts.say("merged", deal=str(gone))
    for payment in ledger.received_anywhere:
        yield f"payment:{payment.id}", _payment_text(ledger, payment, texts)
        for refund in payment.refunds:
            yield from _refund(payment, refund, texts)
        if payment.by_total and payment.refunded_untold:
            yield from _refund_by_total(payment, texts)
        for dispute in payment.disputes:
            yield from _dispute(payment, dispute, texts)
    yield from _settled(ledger, texts)
    for subscription, _ in ledger.ended_subscriptions:
        yield f"ended:{subscription}", texts.say("subscription_ended", id=subscription)


def _settled(ledger: DealLedger, texts: Texts) -> Iterator[Said]:
    """What is odd about how requests were settled: by more than one payment, by more money, or by none."""
    for request in ledger.paid_twice:
        name, ids = "paid_twice", [payment.stripe_id for payment in ledger.received_for(request)]
        if request.mode == "subscription":
            name, ids = "subscribed_twice", [*ledger.contracts_of(request)]
        yield f"twice:{request.id}", texts.say(name, description=request.description, ids=", ".join(ids))
    if ledger.beyond:
        currencies = {money.currency for money in ledger.beyond}
        stray = [one for one in ledger.strays if one.currency in currencies][-1]
        text = texts.say("overpaid", amount=listed(ledger.beyond), id=stray.stripe_id)
        yield f"overpaid:{stray.id}", text
    for request in ledger.requests:
        if ledger.is_free(request):
            session = next(session.id for session in request.sessions if session.settled)
            yield f"free:{request.id}", texts.say("settled_free", description=request.description, id=session)


def _payment_text(ledger: DealLedger, payment: Payment, texts: Texts) -> str:
    amount = str(Money(payment.amount, payment.currency))
    parts = [texts.say("paid_outside" if payment.outside else "payment", amount=amount, id=payment.stripe_id)]
    request = next((r for r in ledger.requests if r.id == payment.request_id), None)
    if request is not None and request.description:
        parts.append(texts.say("for_what", description=request.description))
    if payment.split is not None:
        parts += _split_text(payment, texts)
    if payment.presentment is not None and payment.presentment[1] != payment.currency:
        parts.append(texts.say("presentment", amount=str(Money(*payment.presentment))))
    if payment.currency != ledger.currency:
        parts.append(texts.say("other_currency", currency=ledger.currency))
    elif ledger.elsewhere:
        parts.append(texts.say("beside", currency=ledger.currency, amounts=listed(_beside(ledger))))
    return " ".join(parts)


def _beside(ledger: DealLedger) -> list[Money]:
    """What was received in other currencies than the deal's."""
    return [Money(one.gross, one.currency) for one in ledger.sums[1:] if one.gross]


def _split_text(payment: Payment, texts: Texts) -> list[str]:
    subtotal, discount, shipping, tax = payment.split or (0, 0, 0, 0)
    named = [("split_discount", -discount), ("split_shipping", shipping), ("split_tax", tax)]
    extras = [
        texts.say(name, amount=("+ " if part > 0 else "- ") + str(Money(abs(part), payment.currency)))
        for name, part in named
        if part
    ]
    return [f"({Money(subtotal, payment.currency)} {' '.join(extras)})"] if extras else []


def _refund_by_total(payment: Payment, texts: Texts) -> Iterator[Said]:
    """Once for each sum that it grew to."""
    amount = str(Money(payment.refunded_untold, payment.currency))
    text = texts.say("refund_by_total", amount=amount, payment=payment.stripe_id)
    yield f"refunded:{payment.id}:{payment.refunded_untold}", text


def _refund(payment: Payment, refund: Refund, texts: Texts) -> Iterator[Said]:
    """When it is known how it ended: a pending one may still fail, and one that succeeded may fail days later."""
    amount = str(Money(refund.amount, refund.currency))
    if refund.outcome == "succeeded":
        text = texts.say("refund", amount=amount, id=refund.id, payment=payment.stripe_id)
        yield f"refund:{refund.id}", " ".join([text, *_worth(refund, texts)])
    elif refund.outcome == "failed":
        text = texts.say("refund_failed", amount=amount, id=refund.id, payment=payment.stripe_id)
        yield f"refund:{refund.id}:failed", text


def _worth(part: Refund | Dispute, texts: Texts) -> list[str]:
    """What it counts as, where its currency is not its payment's."""
    if part.worth is None:
        return []
    name, amount = "counts_as" if part.worth.known else "counts_whole", Money(part.worth.amount, part.worth.currency)
    return [texts.say(name, amount=str(amount))]


def _dispute(payment: Payment, dispute: Dispute, texts: Texts) -> Iterator[Said]:
    """An inquiry while it is one; a dispute from its begin, and each decision of it."""
    amount = str(Money(dispute.amount, dispute.currency))
    named = {"amount": amount, "id": dispute.id, "payment": payment.stripe_id}
    reason = dispute.reason.replace("_", " ")
    if dispute.status == "prevented":
        return
    if dispute.is_inquiry:
        yield f"inquiry:{dispute.id}", texts.say("inquiry_opened", **named, reason=reason)
    else:
        opened = "dispute_from_inquiry" if dispute.was_inquiry else "dispute_opened"
        text = texts.say(opened, **named, reason=reason)
        yield f"dispute:{dispute.id}", " ".join([text, *_worth(dispute, texts)])
    outcome = "closed" if dispute.status == "warning_closed" else dispute.state
    if outcome in ("won", "lost", "closed"):
        again = f":{dispute.decided}" if dispute.decided > 1 else ""
        more = _worth(dispute, texts) if outcome == "lost" else []
        yield f"dispute:{dispute.id}:{outcome}{again}", " ".join([texts.say(f"dispute_{outcome}", **named), *more])
