"""Notes: fixed sentences, one per fact, each with a marker to find it again and a link to Stripe."""

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.core.i18n import written_day
from backend.core.money import Money, listed
from backend.deal_sync.desired.texts import Texts
from backend.ledger.deal import DealLedger, Dispute, Payment, Refund, Request
from backend.stripe_api.dashboard import page_of

Said = tuple[str, str]
"""(fact id, text)"""


@dataclass(frozen=True, slots=True)
class Note:
    """A note to write once per fact. ``marker`` is put before the text, so that the note can be found again in
    Kommo."""

    fact_id: str
    text: str
    marker: str


def notes_of(ledger: DealLedger, texts: Texts, test: bool) -> Iterator[Note]:
    """The notes of all facts in the ledger; ``test`` prefixes each with "TEST "."""
    for fact_id, text in _said(ledger, texts):
        yield Note(fact_id, f"{'TEST ' if test else ''}{text}", _marker(fact_id))


def as_one(notes: Iterable[Note], texts: Texts, *more: str) -> str:
    """The text of one Kommo note for all these facts, each a paragraph, followed by ``more``.

    All markers come first: Kommo may cut or change a text at any later point (docs/facts/kommo-api.md 9).
    """
    said = tuple(notes)
    markers = [texts.say("marker", marker=note.marker) for note in said]
    return "\n".join((" ".join((*markers, said[0].text)), *(note.text for note in said[1:]), *more))


def _marker(fact_id: str) -> str:
    """The marker of a fact: 8 letters of its hash, so that the same fact always has the same marker."""
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
        page = page_of("subscriptions", subscription, ledger.livemode)
        yield f"ended:{subscription}", _with_pages(texts.say("subscription_ended"), page)


def _settled(ledger: DealLedger, texts: Texts) -> Iterator[Said]:
    """Notes on requests that were settled unusually: by several payments, by too much money, or by none."""
    for request in ledger.paid_twice:
        yield f"twice:{request.id}", _twice(ledger, request, texts)
    if ledger.beyond:
        currencies = {money.currency for money in ledger.beyond}
        stray = [one for one in ledger.strays if one.currency in currencies][-1]
        yield f"overpaid:{stray.id}", _with_pages(texts.say("overpaid", amount=listed(ledger.beyond)), stray.page)
    for request in ledger.requests:
        if ledger.is_free(request):
            session = next(session.id for session in request.sessions if session.settled)
            yield f"free:{request.id}", texts.say("settled_free", description=request.description, id=session)


def _twice(ledger: DealLedger, request: Request, texts: Texts) -> str:
    if request.mode == "subscription":
        pages = [page_of("subscriptions", one, ledger.livemode) for one in ledger.contracts_of(request)]
        return _with_pages(texts.say("subscribed_twice", description=request.description), *pages)
    pages = [payment.page for payment in ledger.received_for(request)]
    return _with_pages(texts.say("paid_twice", description=request.description), *pages)


def _with_pages(text: str, *pages: str) -> str:
    """The text with its addresses in Stripe's dashboard; Kommo turns addresses into links."""
    return " ".join((text, *pages))


def _payment_text(ledger: DealLedger, payment: Payment, texts: Texts) -> str:
    amount = str(Money(payment.amount, payment.currency))
    request = ledger.request_for(payment)
    name, what = "paid_outside" if payment.outside else "payment", request.description if request else ""
    parts = [texts.say(f"{name}_for" if what else name, amount=amount, description=what)]
    parts += _late(payment, request, texts) if request else []
    if payment.split is not None:
        parts += _split_text(payment, texts)
    if payment.presentment is not None and payment.presentment[1] != payment.currency:
        parts.append(texts.say("presentment", amount=str(Money(*payment.presentment))))
    if payment.currency != ledger.currency:
        parts.append(texts.say("other_currency", currency=ledger.currency))
    elif ledger.elsewhere:
        parts.append(texts.say("beside", currency=ledger.currency, amounts=listed(_beside(ledger))))
    return _with_pages(" ".join(parts), payment.page)


def _late(payment: Payment, request: Request, texts: Texts) -> list[str]:
    """A sentence if the payment came after the link's last day or after its due day; never for renewals."""
    at, renews = payment.paid_at or 0.0, payment.renewal
    if request.last_day and request.expires_at is not None and at >= request.expires_at and not renews:
        return [texts.say("after_end", date=written_day(request.last_day, texts.language))]
    if request.due_on and request.overdue_at is not None and at >= request.overdue_at and not renews:
        return [texts.say("was_due", date=written_day(request.due_on, texts.language))]
    return []


def _beside(ledger: DealLedger) -> list[Money]:
    """The sums received in currencies other than the deal's."""
    return [Money(one.gross, one.currency) for one in ledger.sums[1:] if one.gross]


def _split_text(payment: Payment, texts: Texts) -> list[str]:
    """The amount as its session adds it up, in parentheses; [] if the session does not explain it, as after a capture
    in part, or adds nothing to the price. Tax may be part of the price (docs/facts/stripe-finance.md 5.3)."""
    subtotal, discount, shipping, tax = payment.split or (0, 0, 0, 0)
    before_tax = subtotal - discount + shipping
    within = tax and before_tax == payment.amount
    if not (within or before_tax + tax == payment.amount):
        return []
    named = [("split_discount", -discount), ("split_shipping", shipping), ("split_tax", 0 if within else tax)]
    extras = [
        texts.say(name, amount=("+ " if part > 0 else "- ") + str(Money(abs(part), payment.currency)))
        for name, part in named
        if part
    ]
    parts = [" ".join([str(Money(subtotal, payment.currency)), *extras])] if extras else []
    parts += [texts.say("split_tax_within", amount=str(Money(tax, payment.currency)))] if within else []
    return [f"({', '.join(parts)})"] if parts else []


def _refund_by_total(payment: Payment, texts: Texts) -> Iterator[Said]:
    """A note for each total that the refund grew to."""
    amount = str(Money(payment.refunded_untold, payment.currency))
    text = texts.say("refund_by_total", amount=amount)
    yield f"refunded:{payment.id}:{payment.refunded_untold}", _with_pages(text, payment.page)


def _refund(payment: Payment, refund: Refund, texts: Texts) -> Iterator[Said]:
    """A note once the refund has ended: a pending one may still fail, and one that succeeded may fail days later."""
    amount = str(Money(refund.amount, refund.currency))
    if refund.outcome == "succeeded":
        text = " ".join([texts.say("refund", amount=amount, id=refund.id), *_worth(refund, texts)])
        yield f"refund:{refund.id}", _with_pages(text, payment.page)
    elif refund.outcome == "failed":
        text = texts.say("refund_failed", amount=amount, id=refund.id)
        yield f"refund:{refund.id}:failed", _with_pages(text, payment.page)


def _worth(part: Refund | Dispute, texts: Texts) -> list[str]:
    """A sentence with its amount in the payment's currency, if its own currency differs."""
    if part.worth is None:
        return []
    name, amount = "counts_as" if part.worth.known else "counts_whole", Money(part.worth.amount, part.worth.currency)
    return [texts.say(name, amount=str(amount))]


def _dispute(payment: Payment, dispute: Dispute, texts: Texts) -> Iterator[Said]:
    """Notes on an inquiry while it is one, on the opening of a dispute, and on each of its decisions."""
    amount = str(Money(dispute.amount, dispute.currency))
    named = {"amount": amount, "id": dispute.id}
    reason = dispute.reason.replace("_", " ")
    if dispute.status == "prevented":
        return
    if dispute.is_inquiry:
        text = texts.say("inquiry_opened", **named, reason=reason)
        yield f"inquiry:{dispute.id}", _with_pages(text, payment.page)
    else:
        opened = "dispute_from_inquiry" if dispute.was_inquiry else "dispute_opened"
        text = " ".join([texts.say(opened, **named, reason=reason), *_worth(dispute, texts)])
        yield f"dispute:{dispute.id}", _with_pages(text, payment.page)
    outcome = "closed" if dispute.status == "warning_closed" else dispute.state
    if outcome in ("won", "lost", "closed"):
        again = f":{dispute.decided}" if dispute.decided > 1 else ""
        more = _worth(dispute, texts) if outcome == "lost" else []
        text = " ".join([texts.say(f"dispute_{outcome}", **named), *more])
        yield f"dispute:{dispute.id}:{outcome}{again}", _with_pages(text, payment.page)
