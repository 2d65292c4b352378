"""Request bodies and their checks: ``POST /widget/requests`` and the one of a refund."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from backend.core.errors import AmountInvalid, AmountTooSmall, CurrencyUnknown, FieldInvalid, ProductError
from backend.core.money import Money, exponent, known_currency, to_minor
from backend.payments.dates import Dates

MAX_DESCRIPTION = 250
"""Stripe's limit for a product's name, as which the client sees the description."""
MAX_INTERVALS = {"day": 1095, "week": 156, "month": 36, "year": 3}
"""The largest interval count by interval: Stripe renews a subscription at least once in three years."""
BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs that are drawn as nothing."""
JOINERS = "\u200c\u200d"
"""Format characters that words and emoji need; the others only hide text or change its direction."""


def _whole(value: Any) -> Any:
    """Return the value with a whole float as an integer: JSON has one kind of number, so 4711.0 is 4711."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
KommoId = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1), WHOLE]
Count = Annotated[int, Field(strict=True, ge=1, le=1095), WHOLE]
Text = Annotated[str, Field(strict=True, max_length=2000)]
Major = Annotated[Text, Field(json_schema_extra={"pattern": r"^[0-9]{1,15}(\.[0-9]{1,3})?$", "example": "120.00"})]
"""An amount in major units; ``money`` checks it, since its error sentences are for people."""
Code = Annotated[Text, Field(json_schema_extra={"pattern": "^[A-Za-z]{3}$", "example": "EUR"})]
Day = Annotated[date, Field(strict=False)]
Body = TypeVar("Body", bound=BaseModel)


class CreateBody(BaseModel):
    """The body of ``POST /widget/requests``. Amounts are text in major units.

    ``replaces``: an open request of the same deal that this one replaces. ``due_on`` and ``valid_until``: days
    in the account's time zone; if both are left out, the account's defaults apply. Unknown keys are ignored,
    because a newer widget may send more.
    """

    model_config = ConfigDict(extra="ignore")

    request_id: UUID
    lead_id: KommoId
    contact_id: KommoId | None = None
    amount: Major
    currency: Code
    description: Text
    mode: Literal["payment", "subscription"] = "payment"
    interval: Literal["day", "week", "month", "year"] | None = None
    interval_count: Count | None = None
    kind: Literal["full", "deposit", "rest"] = "full"
    deal_total: Major | None = None
    replaces: UUID | None = None
    due_on: Day | None = None
    valid_until: Day | None = None


class RefundBody(BaseModel):
    """The body of a refund. ``amount``: text in major units; without it the whole remaining amount is refunded."""

    model_config = ConfigDict(extra="ignore")

    refund_id: UUID
    amount: Major | None = None
    expected_refunded: Major
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


@dataclass(frozen=True, slots=True)
class PaymentSpec:
    """A payment to ask for. ``money`` and ``deal_total`` are in minor units."""

    request_id: str
    lead_id: int
    contact_id: int | None
    money: Money
    description: str
    mode: str
    interval: str | None
    interval_count: int | None
    kind: str
    deal_total: int | None
    replaces: str | None
    dates: Dates | None = None
    """The dates of the request; None means the account's defaults on the day of creation."""

    @property
    def content(self) -> str:
        """A SHA-256 in hex that is equal for equal orders, however their bodies were written."""
        wish = asdict(self)
        if self.dates is None:
            del wish["dates"]
        return fingerprint(wish)


def fingerprint(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the values as hex; the order of the keys does not matter."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def read(model: type[Body], body: Any) -> Body:
    """Return ``body`` as ``model``. Raises a ``ProductError`` that names the JSON key of the first fault."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> ProductError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if not first["loc"]:
        return FieldInvalid("Send a JSON object.")
    field = str(first["loc"][0])
    sentence = f"`{field}` is missing." if first["type"] == "missing" else f"`{field}`: {first['msg']}."
    kinds = {"amount": AmountInvalid, "deal_total": AmountInvalid, "currency": CurrencyUnknown}
    return kinds.get(field, FieldInvalid)(sentence, field=field)


def spec_from(body: CreateBody) -> PaymentSpec:
    """Return the payment that the body asks for; each error tells a rep what to change.

    Raises ``FieldInvalid``, ``CurrencyUnknown``, and as ``to_minor`` does for an amount.
    """
    currency = known_currency(body.currency)
    money = Money(to_minor(body.amount, currency), currency)
    _check_rhythm(body)
    return PaymentSpec(
        request_id=str(body.request_id),
        lead_id=body.lead_id,
        contact_id=body.contact_id,
        money=money,
        description=_description(body.description),
        mode=body.mode,
        interval=body.interval,
        interval_count=(body.interval_count or 1) if body.mode == "subscription" else None,
        kind=body.kind,
        deal_total=_deal_total(body, money),
        replaces=str(body.replaces) if body.replaces else None,
        dates=_dates(body),
    )


def _dates(body: CreateBody) -> Dates | None:
    chosen = body.model_fields_set & {"due_on", "valid_until"}
    return Dates(body.due_on, body.valid_until) if chosen else None


def _check_rhythm(body: CreateBody) -> None:
    if body.mode == "payment":
        for name in ("interval", "interval_count"):
            if getattr(body, name) is not None:
                raise FieldInvalid(f"`{name}` belongs to a subscription.", field=name)
        return
    if body.interval is None:
        raise FieldInvalid("Say how often a subscription is paid: day, week, month or year.", field="interval")
    if (body.interval_count or 1) > MAX_INTERVALS[body.interval]:
        raise FieldInvalid("A subscription is paid at least once in three years.", field="interval_count")
    if body.kind != "full":
        raise FieldInvalid("A subscription can't be a deposit or a remaining payment.", field="kind")


def _deal_total(body: CreateBody, money: Money) -> int | None:
    if body.deal_total is None:
        return None
    if body.kind != "deposit":
        raise FieldInvalid("`deal_total` belongs to a deposit.", field="deal_total")
    try:
        total = to_minor(body.deal_total, money.currency)
    except ProductError as error:
        error.field = "deal_total"
        raise
    if total < money.amount:
        raise FieldInvalid("The deal's total is less than the deposit.", field="deal_total")
    return total


def _description(text: str) -> str:
    """Return the text as one line, without control characters and characters that change its direction."""
    line = " ".join("".join(char if _is_written(char) else " " for char in text).split())
    if not any(map(_is_drawn, line)):
        raise FieldInvalid("Say in a few words what the payment is for.", field="description")
    if len(line) > MAX_DESCRIPTION:
        raise FieldInvalid(f"Use at most {MAX_DESCRIPTION} characters.", field="description")
    return line


def _is_drawn(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNPS" and char not in BLANK


def _is_written(char: str) -> bool:
    return char in JOINERS or unicodedata.category(char)[0] != "C"


def part_of(text: str, currency: str) -> int:
    """Return an amount to refund in minor units of ``currency``; unlike a charge it has no minimum.

    Raises ``AmountInvalid`` or ``AmountTooLarge``.
    """
    try:
        return to_minor(text, currency)
    except AmountTooSmall:
        return int(Decimal(text).scaleb(exponent(currency)))
