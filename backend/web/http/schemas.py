"""The JSON of the widget's routes. Amounts are decimal strings in major units, times are RFC 3339 in UTC."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from backend.core.clock import as_rfc3339
from backend.core.money import Money, major
from backend.ledger.deal import DealLedger, Payment, Request
from backend.payments.checkout.params import link_address
from backend.payments.deal.summary import DealSeen
from backend.web.http.due import NewDates, RemindersAnswer
from backend.web.http.sending_schemas import SendingAnswer


class Amount(BaseModel):
    """A sum of money: a decimal string in major units, and an ISO 4217 code in capitals."""

    amount: str
    currency: str


class Error(BaseModel):
    """A refusal; ``limit`` is the largest or the smallest amount allowed."""

    code: str
    message: str
    field: str | None = None
    limit: Amount | None = None


class ErrorAnswer(BaseModel):
    """The body of every refusal."""

    error: Error


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI ``responses`` for statuses that are answered with an ``ErrorAnswer``, by status."""
    return {status: {"model": ErrorAnswer} for status in statuses}


class RequestAnswer(BaseModel):
    """A payment request: the answer of ``POST /widget/requests``, and each of a deal's ``requests``.

    ``created_by``: Kommo's id of the user; left out if the client pressed *Pay the rest* on the statement.
    ``contact_id``: the payer. ``due_on`` and ``valid_until`` (the link's last day) are days in the account's time zone;
    ``expires_at`` is the midnight after that day.
    """

    id: str
    url: str
    state: str
    amount: str
    currency: str
    description: str
    mode: str
    kind: str
    created_at: str
    created_by: int | None = None
    expires_at: str | None = None
    due_on: str | None = None
    valid_until: str | None = None
    opened: bool = False
    contact_id: int | None = None


class PaymentAnswer(BaseModel):
    """A payment of the deal; ``stripe_url`` is its page in Stripe's dashboard."""

    id: str
    amount: str
    currency: str
    state: str
    paid_at: str | None
    refunded: str
    disputed: str | None
    request_id: str | None = None
    stripe_url: str


class May(BaseModel):
    """What the user may do; ``payments``: open the app's list of all payments, as a user of finance."""

    create: bool
    refund: bool
    payments: bool = False


class DealAnswer(BaseModel):
    """A deal's money. ``expected``, ``paid`` and ``open`` (the outstanding rest) are lists with one amount per
    currency.

    ``currency`` is that of the deal's fields, ``account_currency`` that of the Kommo account.
    """

    state: str
    paid: list[Amount]
    expected: list[Amount]
    open: list[Amount]
    requests: list[RequestAnswer]
    payments: list[PaymentAnswer]
    explanation: str
    currency: str
    account_currency: str
    mode: str
    connected: bool
    may: May
    statement_url: str | None
    new_dates: NewDates | None = None
    log: list[str] | None = None
    """What rules did with the deal, newest first; left out if they did nothing."""
    reminders: RemindersAnswer | None = None
    sendings: list[SendingAnswer] = []
    test_tag: str | None = None
    """In test mode the tag that the deal lacks; test money moves it only with that."""


class RefundAnswer(BaseModel):
    """A refund with its state at Stripe."""

    id: str
    amount: str
    currency: str
    state: str


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return ``{"requestBody"}``: the OpenAPI description of a body that the route reads itself, to refuse it in our
    own words.
    """
    schema = model.model_json_schema()
    schema = _resolved(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _resolved(part: Any, named: dict[str, Any]) -> Any:
    """Return the schema with each ``$ref`` replaced by its definition, which a larger document would not resolve."""
    if isinstance(part, list):
        return [_resolved(one, named) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolved(named[part["$ref"].rpartition("/")[2]], named)
    return {name: _resolved(one, named) for name, one in part.items()}


class SetupAnswer(BaseModel):
    """The single-use address of the set-up pages."""

    url: str


class PreviewAnswer(BaseModel):
    """The address of the payer's page as a preview."""

    url: str


class CheckAnswer(BaseModel):
    """The number of Checkout Sessions that Stripe was asked about."""

    asked: int


def deal_answer(
    seen: DealSeen,
    public_url: str,
    *,
    may: May,
    dates: NewDates | None = None,
    statement: str | None = None,
    log: list[str] | None = None,
) -> DealAnswer:
    """Return the JSON model of a deal for the card and the admin pages; requests and payments are newest first.

    Sums have one entry per currency. ``dates``: the defaults of a new request, or None. ``statement``: the token of the
    deal's page for the client, None if there is none. ``log``: lines to show under the deal; none leaves the key out.
    """
    ledger = seen.ledger
    return DealAnswer(
        state=ledger.state,
        paid=_amounts(Money(one.gross, one.currency) for one in ledger.sums),
        expected=_amounts(Money(one.expected, one.currency) for one in ledger.sums),
        open=_amounts(Money(one.outstanding, one.currency) for one in ledger.sums),
        requests=[request_answer(ledger, one, public_url) for one in _newest_first(ledger.requests)],
        payments=[payment_answer(ledger, one) for one in _shown(ledger)],
        explanation=seen.why,
        currency=ledger.currency,
        account_currency=ledger.account_currency,
        mode="live" if ledger.livemode else "test",
        connected=seen.connected,
        may=may,
        statement_url=f"{public_url}/d/{statement}" if statement else None,
        new_dates=dates,
        **({"log": log} if log else {}),
    )


def request_answer(ledger: DealLedger, request: Request, public_url: str) -> RequestAnswer:
    """Return a payment request's JSON; dates and ids that are unknown are left out."""
    until = {"expires_at": as_rfc3339(request.expires_at)} if request.expires_at else {}
    due = {"due_on": request.due_on.isoformat()} if request.due_on else {}
    last = {"valid_until": request.last_day.isoformat()} if request.last_day else {}
    by = {"created_by": request.created_by} if request.created_by else {}
    payer = {"contact_id": request.contact_id} if request.contact_id else {}
    return RequestAnswer(
        id=request.id,
        url=link_address(public_url, request.link_token),
        state=ledger.request_state(request),
        amount=major(request.amount, request.currency),
        currency=request.currency,
        description=request.description,
        mode=request.mode,
        kind=request.kind,
        created_at=as_rfc3339(request.created_at),
        opened=request.opened,
        **until,
        **due,
        **last,
        **by,
        **payer,
    )


def payment_answer(ledger: DealLedger, payment: Payment) -> PaymentAnswer:
    """Return a payment's JSON; one in progress has no amount yet and shows its request's."""
    request = next((one for one in ledger.requests if one.id == payment.request_id), None)
    money: Payment | Request = payment if payment.received or request is None else request
    known = {"request_id": payment.request_id} if payment.request_id else {}
    return PaymentAnswer(
        id=payment.id,
        amount=major(money.amount, money.currency),
        currency=money.currency,
        state=payment.state,
        paid_at=as_rfc3339(payment.paid_at) if payment.paid_at is not None else None,
        refunded=major(payment.refunded, money.currency),
        disputed=payment.disputed,
        stripe_url=payment.page,
        **known,
    )


def _amounts(sums: Iterable[Money]) -> list[Amount]:
    known = sorted((one for one in sums if one.amount), key=lambda one: one.currency)
    return [Amount(amount=major(one.amount, one.currency), currency=one.currency) for one in known]


def _shown(ledger: DealLedger) -> list[Payment]:
    """Return received and processing payments, newest first; one that never began shows in its request's state."""
    shown = [p for p in ledger.payments if p.received or (p.state == "processing" and p.request_id)]
    return sorted(shown, key=lambda p: (p.paid_at if p.paid_at is not None else float("inf"), p.id), reverse=True)


def _newest_first(requests: Iterable[Request]) -> list[Request]:
    return sorted(requests, key=lambda request: (request.created_at, request.id), reverse=True)
