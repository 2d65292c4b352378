"""Facts from PaymentIntents: the received money itself."""

from collections.abc import Iterator, Mapping

from backend.facts import Fact
from backend.stripe_api.events.metadata import metadata_facts
from backend.stripe_api.events.methods import paid_with
from backend.stripe_api.events.parsing import (
    EventContext,
    Object,
    amount_of,
    currency_of,
    id_of,
    maybe_amount,
    maybe_id,
    moment_of,
    part_of,
    text_of,
)

RANK = 4
"""The rank of a PaymentIntent among the four sources of an amount: it has the amount that was really received."""

AT_ONCE = frozenset(
    "alipay amazon_pay bancontact blik card card_present cashapp eps grabpay ideal kakao_pay kr_card link mobilepay "
    "naver_pay p24 pay_by_bank payco paynow paypal pix promptpay revolut_pay samsung_pay swish twint wechat_pay".split()
)
"""Methods whose charge is final at once; others are confirmed days later (docs.stripe.com/payments/payment-methods)."""


def payment_intent_facts(intent: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of a PaymentIntent from an event or from a call. Raises ``BadEvent``."""
    pid = id_of(intent, "id", "pi_")
    yield Fact(pid, "kind", "payment")
    yield from metadata_facts(pid, intent, context)
    invoice = maybe_id(intent, "invoice")  # before 2025-03-31 only
    if invoice:
        yield Fact(invoice, "kind", "invoice")
        yield Fact(pid, "invoice", [invoice])
    if intent.get("status") == "succeeded":
        received, held = amount_of(intent, "amount_received"), maybe_amount(intent, "amount")
        yield Fact(pid, "received", [RANK, received, currency_of(intent)])
        yield Fact(pid, "paid_at", _paid_at(intent, context))
        yield from method_facts(intent)
        if held is not None and held > received:
            yield Fact(pid, "released", [held - received, currency_of(intent)])
    elif intent.get("status") == "processing":
        yield Fact(pid, "processing", context.created)
    elif intent.get("status") == "canceled":
        yield Fact(pid, "canceled", moment_of(intent, "canceled_at", context.created))


def method_facts(intent: Object) -> Iterator[Fact]:
    """Yield how the payment was made, if the charge is expanded, as in the answer to a call."""
    charge = intent.get("latest_charge")
    known = paid_with(charge) if isinstance(charge, Mapping) else None
    if known:
        yield Fact(id_of(intent, "id", "pi_"), "paid_with", known)


def _paid_at(intent: Object, context: EventContext) -> float:
    """Return the time of the payment in epoch seconds: the charge's own if it is expanded,
    as it may be fetched days later.

    The charge of a bank debit is created when the debit begins, that of a manual capture when it is authorized. Both
    are earlier than the money, so for these ``context`` has the best known time.
    """
    charge = intent.get("latest_charge")
    if not isinstance(charge, Mapping) or text_of(intent, "capture_method") == "manual":
        return context.created
    if text_of(part_of(charge, "payment_method_details"), "type") not in AT_ONCE:
        return context.created
    return min(context.created, moment_of(charge, "created", context.created))


def declined_facts(intent: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of a declined try. It is never final: the payer may try again with the same PaymentIntent."""
    yield from payment_intent_facts(intent, context)
    problem = part_of(intent, "last_payment_error")
    message, *codes = (text_of(problem, field) for field in ("message", "decline_code", "code"))
    code = next((text for text in codes if text), "")
    yield Fact(id_of(intent, "id", "pi_"), "decline", [context.created, message or code or "declined", code])
