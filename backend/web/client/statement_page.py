"""A deal's statement as a page, in the style and words of the link pages."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from backend.core.i18n import date_of, isolated
from backend.core.money import Money, all_shown, shown
from backend.ledger.deal import DealLedger, Payment
from backend.ledger.sums import CurrencySum
from backend.payments.statement import Statement
from backend.web.client.link_pages import ASK_AGAIN, CSS, ENVIRONMENT, HEADERS, STATUS, days_of, renewal, texts_of
from backend.web.client.reader import Reader

FORM_HEADERS = {
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace(
        "form-action 'none'", "form-action 'self' https: http:"
    )
}
"""Chromium applies form-action to the redirect after a form too, and a merchant's Checkout may have a domain of its
own.
"""


GONE = ("statement_refunded", "statement_kept")
"""Shown only if something was refunded."""


@dataclass(frozen=True)
class Line:
    """One payment; ``mark`` labels the deposit, "" for others; ``refunded`` is "" if nothing was."""

    date: str
    amount: str
    mark: str
    refunded: str


def statement_page(
    statement: Statement, reader: Reader, *, kept: str = "", trouble: str = "", public_url: str = ""
) -> HTMLResponse:
    """Return the statement.

    ``trouble``: why its button led nowhere, ``trouble`` or ``moment``; "" if it was not pressed.
    """
    language, texts, ledger = reader.language, texts_of(reader.language), statement.ledger
    locale = reader.locale(statement.account.timezone)
    body = ENVIRONMENT.get_template("statement.html").render(
        language=language,
        css=Markup(CSS),  # noqa: S704 (our own file)
        texts=texts,
        merchant=statement.merchant,
        trouble=texts[f"{trouble}_text"].format_map({"merchant": isolated(statement.merchant.name)}) if trouble else "",
        purposes=_purposes(ledger, texts, language),
        sums=_sums(ledger, texts, locale),
        lines=[_line(payment, statement, texts, reader) for payment in ledger.received_anywhere],
        returned=texts["statement_returned"] if any(one.refunded for one in ledger.sums) else "",
        details=_days(statement, language),
        state=_state(statement, texts),
        pay=_pay(statement, texts, locale),
        action=f"/d/{statement.token}/pay{kept}",
        picture=f"{public_url}/d/{statement.token}/picture.png?lang={reader.spoken(statement.account.timezone)}",
    )
    later = {"Retry-After": str(ASK_AGAIN[trouble])} if trouble else {}
    headers = HEADERS | FORM_HEADERS | later | {"Content-Language": language}
    return HTMLResponse(body, STATUS.get(trouble, 200), headers=headers)


def _purposes(ledger: DealLedger, texts: dict[str, str], language: str) -> list[str]:
    """Return each description that was asked for, once, oldest first; with its rhythm if it renews."""
    told = (
        (isolated(request.description), renewal(ledger, request, texts, language)) for request in ledger.live_requests
    )
    return list(dict.fromkeys(f"{purpose} · {renews}" if renews else purpose for purpose, renews in told))


def _sums(ledger: DealLedger, texts: dict[str, str], locale: str) -> list[tuple[str, str]]:
    """Return (name, amounts) for agreed, paid, refunded, kept and open in all currencies; kept = paid - refunded."""
    named: list[tuple[str, Callable[[CurrencySum], int]]] = [
        ("statement_agreed", lambda one: one.expected),
        ("statement_paid", lambda one: one.gross),
        ("statement_refunded", lambda one: one.refunded),
        ("statement_kept", lambda one: one.net),
        ("statement_open", lambda one: one.outstanding),
    ]
    went_back = any(one.refunded for one in ledger.sums)
    told = [(name, [Money(amount_of(one), one.currency) for one in ledger.sums]) for name, amount_of in named]
    return [
        (texts[name], all_shown([one for one in sums if one.amount] or sums[:1], locale))
        for name, sums in told
        if went_back or name not in GONE
    ]


def _line(payment: Payment, statement: Statement, texts: dict[str, str], reader: Reader) -> Line:
    deposits = {request.id for request in statement.ledger.requests if request.kind == "deposit"}
    timezone, currency = statement.account.timezone, payment.currency
    locale = reader.locale(timezone)
    return Line(
        date=date_of(payment.paid_at or 0.0, timezone, reader.language),
        amount=shown(Money(payment.amount, currency), locale),
        mark=texts["statement_deposit"] if payment.request_id in deposits else "",
        refunded=shown(Money(payment.gone, currency), locale) if payment.gone else "",
    )


def _days(statement: Statement, language: str) -> dict[str, str]:
    """Return the days of the link to which the button leads, or which that link replaces."""
    offer = statement.offer
    asked = (offer.link or offer.replaces) if offer else None
    return days_of(asked, language) if asked else {}


def _state(statement: Statement, texts: dict[str, str]) -> str:
    ledger = statement.ledger
    if ledger.is_under_way and statement.offer is None:
        return texts["processing_text"]
    if not (ledger.live_requests or ledger.received_anywhere):
        return texts["statement_nothing"]
    unpaid = [one for one in ledger.live_requests if not ledger.is_settled(one)]
    if statement.offer is None and ledger.open_sums and any(one.is_past_end(ledger.now) for one in unpaid):
        return texts["expired_text"].format_map({"merchant": isolated(statement.merchant.name)})
    is_settled = bool(ledger.received_anywhere) or ledger.state == "paid"  # a full discount leaves nothing to pay
    return texts["settled_text"] if is_settled and not ledger.open_sums else ""


def _pay(statement: Statement, texts: dict[str, str], locale: str) -> str:
    """Return the button's text with the amount that the link will charge; "" if nothing can be paid."""
    if statement.offer is None:
        return ""
    asked = statement.offer.link
    name = "statement_pay_deposit" if asked and asked.kind == "deposit" else "statement_pay"
    return texts[name].format_map({"amount": shown(statement.offer.money, locale)})
