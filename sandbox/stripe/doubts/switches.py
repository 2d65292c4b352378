"""Where the facts leave Stripe's behaviour open, both readings can be played.

Each switch names one open point of docs/facts/stripe.md; the first reading is the one believed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    readings: tuple[str, ...]
    about: str


SWITCHES = {
    "customer_email": Switch(("locked", "editable"), "B1: may the payer change a prefilled e-mail address?"),
    "expire_while_paying": Switch(("refused", "wins"), "B2: an expire call meets a payment that is under way"),
    "idempotency_mismatch_status": Switch(("400", "409"), "B3: same Idempotency-Key, other parameters"),
    "invoice_payments_in_events": Switch(("absent", "present"), "C1: invoice.payments in invoice.* events"),
    "invoice_payment_paid_on_legacy": Switch(("absent", "sent"), "C1: may endpoints before basil get the event?"),
    "event_order": Switch(("payment_first", "session_first"), "C2: which event of a payment is made first"),
    "session_invoice_at_completed": Switch(("set", "null"), "C5: session.invoice in checkout.session.completed"),
    "invoice_events": Switch(("after_session", "before_session"), "C5: invoice.paid and checkout.session.completed"),
    "invoice_lines": Switch(("first_ten", "all"), "D: how many lines an invoice carries along"),
    "delayed_at_expiry": Switch(("stays", "fails"), "C3: a delayed payment at the end of its session's time"),
    "subscription_presentment": Switch(("ours", "payers"), "I: currency of a subscription's adaptive pricing"),
    "invoice_lookup": Switch(("at_once", "late"), "C4: invoice_payments by a new PaymentIntent are empty for 3 s"),
    "zero_total_status": Switch(("paid", "no_payment_required"), "C10: payment_status of a 100 % discount"),
    "refund_created_on_legacy": Switch(("absent", "sent"), "C8: refund.* of card refunds before acacia"),
    "capture_release": Switch(("refund_object", "total_only"), "C8: what a capture in part lets go"),
    "dispute_turns": Switch(("booked", "unbooked"), "C9: does a further decision add a movement of money?"),
    "declined_try": Switch(("same", "new"), "C9: the PaymentIntent of a session's next try after a declined card"),
    "account_defaults": Switch(
        ("none", "managed_payments", "managed_payments_unfit", "adaptive_pricing", "automatic_tax"),
        "B5: what the account turns on for sessions that do not say",
    ),
    "account_default_version": Switch(("pinned", "legacy"), "C, D: version of /v1/events and of unpinned endpoints"),
    "delivery_timeout": Switch(("10", "3", "20", "30"), "D: seconds until Stripe gives up waiting for our answer"),
    "endpoint_disabling": Switch(("never", "after_last_retry"), "D: an endpoint that failed for days is disabled"),
    "endpoint_limit": Switch(("16", "none"), "F: webhook endpoints per account and mode"),
    "events_order": Switch(("newest_first", "oldest_first"), "D: order of GET /v1/events"),
    "three_decimal_rule": Switch(("last_digit_zero", "free"), "E: KWD and its like must end in 0"),
    "amount_digits": Switch(("12", "8"), "E: the largest amount that a Checkout Session takes"),
    "expand_invoice_payments": Switch(("allowed", "refused"), "C4: expand=invoice.payments on a session"),
    "expand_payments_needs": Switch(("none", "rak_credit_note"), "F: expanding invoice.payments asked for it once"),
    "rate_limits": Switch(("kept", "none"), "D: 25 requests a second; not in doubt, but in the way of load tests"),
    "webhook_slug": Switch(("rak_webhook", "rak_webhook_endpoint"), "F: permission for webhook endpoints"),
    "event_slug": Switch(("rak_event", "rak_events"), "F: permission for events"),
    "refund_slug": Switch(("rak_refund", "rak_charge"), "F: permission for refunds"),
    "dispute_slug": Switch(("rak_dispute", "rak_charge"), "F: permission for disputes"),
    "invoice_payment_slug": Switch(("rak_invoice", "rak_invoice_payment"), "F: permission for invoice payments"),
    "price_data_needs": Switch(("none", "rak_product"), "F: price_data may need product rights"),
    "account_slug": Switch(("rak_connected_account", "none"), "F: GET /v1/account with a restricted key"),
}


class Switches(Mapping[str, str]):
    """The reading that is played of each switch; ``KeyError`` and ``ValueError`` for what does not exist."""

    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        self._chosen = {name: switch.readings[0] for name, switch in SWITCHES.items()}
        self.turn(chosen or {})

    def turn(self, chosen: Mapping[str, str]) -> None:
        for name, reading in chosen.items():
            if reading not in SWITCHES[name].readings:
                raise ValueError(f"{name} is one of {', '.join(SWITCHES[name].readings)}, not {reading}")
            self._chosen[name] = reading

    def __getitem__(self, name: str) -> str:
        return self._chosen[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chosen)

    def __len__(self) -> int:
        return len(self._chosen)
