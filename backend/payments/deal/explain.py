"""Explain in one line, in the reader's language, why a deal is not paid and what to do next."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from backend.core.clock import as_datetime
from backend.core.i18n import Texts, date_of, texts_in
from backend.core.money import Money, displayed
from backend.ledger.deal import DealLedger, Dispute, Request
from backend.ledger.parts import Decline
from backend.payments.deal.related import Elsewhere

FOLDER = Path(__file__).parent / "i18n"
STRIPES_TIME = "UTC"
"""The time zone in which Stripe's deadlines end."""
BANK_DAYS = 7
"""The days after which a bank debit is usually known to have succeeded."""

SETTLED = ("disputed", "refunded", "partially_refunded", "paid")
TAKEN_BACK = ("cancelled", "replaced")
UNPAID = ("expired", "failed", *TAKEN_BACK)
REASONS = {
    "insufficient_funds": ("insufficient_funds",),
    "expired_card": ("expired_card", "invalid_expiry_month", "invalid_expiry_year"),
    "cvc": ("incorrect_cvc", "invalid_cvc"),
    "number": ("incorrect_number", "invalid_number"),
    "authentication": ("authentication_required", "payment_intent_authentication_failure"),
    "later": ("processing_error", "try_again_later", "issuer_not_available", "reenter_transaction"),
    "not_supported": ("card_not_supported", "currency_not_supported", "transaction_not_allowed"),
    "limit": ("card_velocity_exceeded", "withdrawal_count_limit_exceeded"),
    "none_given": (
        "generic_decline", "card_declined", "do_not_honor", "call_issuer", "no_action_taken",
        "fraudulent", "merchant_blacklist", "lost_card", "stolen_card", "pickup_card", "restricted_card",
    ),
}  # fmt: skip
"""Stripe's decline codes (docs.stripe.com/declines/codes) by our sentence.

If a card is or may be stolen, Stripe asks to tell the payer only that it was declined: reps pass on what they read.
"""
REASON_OF = {code: reason for reason, codes in REASONS.items() for code in codes}


@dataclass(frozen=True)
class DealContext:
    """What the ledger does not know. ``stripe`` and ``kommo``: whether the account is connected to them.

    ``timezone``: an IANA name. ``elsewhere``: related money in other deals, or None.
    """

    timezone: str = "UTC"
    stripe: bool = True
    kommo: bool = True
    elsewhere: Elsewhere | None = None
    marked: bool = False
    """Amounts are written as ``{600.00 USD}``: the card formats all its amounts itself, in the reader's region."""
    merging: bool = False
    """Another deal was merged into this one, and its payments are not here yet."""


def explain(ledger: DealLedger, context: DealContext, language: str) -> str:
    """Return one line in ``language`` that explains the deal's state and names the next step;
    English if we lack the language."""
    texts = texts_in(FOLDER, language)
    sentences = [*_why(ledger, context, texts), *_beside(ledger, context, texts), *_inquiries(ledger, texts)]
    if context.elsewhere is not None and context.elsewhere.paid is not None:
        sentences.append(_same_client(context.elsewhere, context, texts))
    if not context.kommo:
        sentences.append(texts.say("kommo_disconnected"))
    return " ".join(sentences)


def _why(ledger: DealLedger, context: DealContext, texts: Texts) -> list[str]:
    if context.merging:
        return [texts.say("merged_here")]
    still_open = [texts.say("still_open", amount=_written(_open(ledger), context, texts))] if ledger.open_sums else []
    if ledger.state in SETTLED:
        is_over = ledger.state == "disputed" and not any(one.disputed == "open" for one in ledger.received_anywhere)
        return [texts.say("disputed_lost" if is_over else ledger.state), *still_open]
    if not context.stripe:
        return [texts.say("stripe_disconnected")]
    if ledger.emptied and context.elsewhere is not None:
        return [_moved(context.elsewhere, texts)]
    if not ledger.requests and not ledger.payments:
        return [texts.say("nothing_asked")]
    reason = _why_unpaid(ledger, context, texts)
    return [*still_open, reason] if ledger.received_anywhere else [reason]


def _written(sums: list[Money], context: DealContext, texts: Texts) -> str:
    if context.marked:
        return " + ".join(f"{{{one}}}" for one in sums)
    return displayed(sums, texts.language)


def _open(ledger: DealLedger) -> list[Money]:
    return [Money(one.outstanding, one.currency) for one in ledger.open_sums]


def _beside(ledger: DealLedger, context: DealContext, texts: Texts) -> list[str]:
    """Return the sentence about money in other currencies, which the deal's fields don't show."""
    sums = [Money(one.gross, one.currency) for one in ledger.sums[1:] if one.gross]
    amounts = _written(sums, context, texts)
    return [texts.say("beside", amounts=amounts, currency=ledger.currency)] if sums else []


def _inquiries(ledger: DealLedger, texts: Texts) -> list[str]:
    """Return a sentence with the next step for each kind of open inquiry; an inquiry takes no money yet."""
    asked = (dispute for payment in ledger.received_anywhere for dispute in payment.inquiries)
    return list(dict.fromkeys(_inquiry(dispute, texts) for dispute in asked))


def _inquiry(dispute: Dispute, texts: Texts) -> str:
    if dispute.status == "warning_under_review":
        return texts.say("inquiry_answered")
    if not dispute.answerable:
        return texts.say("inquiry_refund")
    if dispute.due_by is None:
        return texts.say("inquiry_undated")
    return texts.say("inquiry", date=date_of(dispute.due_by, STRIPES_TIME, texts.language))


def _moved(elsewhere: Elsewhere, texts: Texts) -> str:
    if elsewhere.lead_id is None:
        return texts.say("moved_away")
    return texts.say("moved", deal=str(elsewhere.lead_id))


def _same_client(elsewhere: Elsewhere, context: DealContext, texts: Texts) -> str:
    assert elsewhere.paid is not None
    money, at = elsewhere.paid
    amount, date = _written([money], context, texts), date_of(at, context.timezone, texts.language)
    return texts.say("same_client", amount=amount, date=date, deal=str(elsewhere.lead_id))


def _why_unpaid(ledger: DealLedger, context: DealContext, texts: Texts) -> str:
    open_ones = [r for r in ledger.requests if ledger.request_state(r) in ("pending", "processing", "failed")]
    newest = max(open_ones, key=lambda request: request.created_at, default=None)
    if newest is not None:
        return _why_open(ledger, newest, context, texts)
    unpaid = [state for state in map(ledger.request_state, ledger.requests) if state in UNPAID]
    # A cancelled or replaced request is not owed: no request asked for what remains besides the received money.
    if unpaid and not (ledger.received_anywhere and unpaid[-1] in TAKEN_BACK):
        return texts.say(unpaid[-1])
    return texts.say("ask_rest" if ledger.received_anywhere else "under_way")


def _why_open(ledger: DealLedger, request: Request, context: DealContext, texts: Texts) -> str:
    state = ledger.request_state(request)
    if state == "processing":
        began = max((s.completed_at for s in request.sessions if s.completed_at), default=ledger.now)
        until = (as_datetime(began) + timedelta(days=BANK_DAYS)).timestamp()
        return texts.say("bank", date=date_of(until, context.timezone, texts.language))
    declined = [p.decline for p in ledger.payments_of(request) if p.decline and not p.received]
    if declined:
        return texts.say("declined", reason=_reason(max(declined), texts))
    if state == "failed" or any(session.async_failed for session in request.sessions):
        return texts.say("failed")
    return texts.say("opened" if request.opened else "not_opened")


def _reason(decline: Decline, texts: Texts) -> str:
    """Return why a payment was declined: our sentence for a common code, else Stripe's own in English."""
    known = REASON_OF.get(decline.code)
    return texts.say(f"reason_{known}") if known else decline.reason.rstrip(".")
