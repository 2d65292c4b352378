"""The payer's record on a page: what was paid, when, how and for what, and what is still open."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.core.i18n import moment_of
from backend.core.money import Money, all_shown, shown
from backend.ledger.deal import Payment
from backend.payments.afterwards import Afterwards
from backend.payments.find import Link
from backend.payments.receipt import has_receipt
from backend.web.client.methods import method_name
from backend.web.client.reader import Reader

PAID = ("paid", "partly_returned", "returned")
"""Pages about received money."""
MOST_LINES = 24
"""Listed payments of one link, newest ones: a contract may bring one a day for years."""
NO_BREAK = "\N{NO-BREAK SPACE}"

Texts = Mapping[str, str]


@dataclass(frozen=True)
class PaidLine:
    """One payment; ``receipt`` leads to Stripe's receipt page, "" if there is none."""

    amount: str
    when: str
    method: str
    receipt: str


@dataclass(frozen=True)
class Paid:
    """The record of a link's payments.

    ``amount``: all that was received by the link. ``sums``: (name, amount) after refunds. ``ways``: (address, text) of
    the next steps.
    """

    amount: str
    sums: list[tuple[str, str]]
    lines: list[PaidLine]
    reference: str
    open: str
    ways: list[tuple[str, str]]


def paid_of(link: Link, after: Afterwards, texts: Texts, reader: Reader, query: str) -> Paid:
    """Return the record of a link with at least one received payment; amounts are formatted for the reader."""
    received, currency = link.received, link.received[0].currency
    came = sum(payment.amount for payment in received)
    kept, locale = came - link.returned, reader.locale(link.account.timezone)
    sums = [("statement_refunded", link.returned), ("statement_kept", kept)] if link.returned else []
    return Paid(
        amount=shown(Money(came, currency), locale),
        sums=[(texts[name], shown(Money(amount, currency), locale)) for name, amount in sums],
        lines=[_line(link, payment, texts, reader, query) for payment in received[-MOST_LINES:]],
        reference=reference_of(link),
        open=all_shown(after.open, locale),
        ways=_ways(after, texts, locale, query),
    )


def reference_of(link: Link) -> str:
    """Return the reference that a payer tells the merchant: the deal's id, by which Kommo finds it, and a hyphenated
    suffix.
    """
    return f"{link.request.lead_id}-{link.request.id[:8].upper()}"


def _line(link: Link, payment: Payment, texts: Texts, reader: Reader, query: str) -> PaidLine:
    here = f"/p/{link.request.link_token}/receipt/{payment.id}{query}"
    return PaidLine(
        amount=shown(Money(payment.amount, payment.currency), reader.locale(link.account.timezone)),
        when=moment_of(payment.paid_at or 0.0, link.account.timezone, reader.language),
        method=method_name(payment.method, texts).replace(" ", NO_BREAK) if payment.method else "",
        receipt=here if has_receipt(payment) else "",
    )


def _ways(after: Afterwards, texts: Texts, locale: str, query: str) -> list[tuple[str, str]]:
    if after.statement:
        return [(f"/d/{after.statement}{query}", texts["to_statement"])]
    if after.rest and after.offered:
        pay = texts["statement_pay"].format_map({"amount": shown(after.offered, locale)})
        return [(f"/p/{after.rest}{query}", pay)]
    return []
