"""The nine deal fields that we write (docs/design.md 7), and how they are found among an account's fields."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from backend.kommo_api.values import CustomField, NewField

GROUP = "Stripe payments"


@dataclass(frozen=True, slots=True)
class DealField:
    """A deal field that we want. ``options``: state → label, for the list.

    ``also``: other field types that hold the same value, for a field that a person created.
    """

    code: str
    name: str
    type: str
    options: Mapping[str, str]
    also: tuple[str, ...] = ()

    def fits(self, field: CustomField) -> bool:
        """True if the type of ``field`` can hold our value."""
        return field.type in (self.type, *self.also)


STATES = {
    "pending": "Pending",
    "processing": "Processing",
    "paid": "Paid",
    "partially_paid": "Partially paid",
    "failed": "Failed",
    "refunded": "Refunded",
    "partially_refunded": "Partially refunded",
    "disputed": "Disputed",
    "cancelled": "Cancelled",
}

_NUMBER = ("monetary",)  # we create numeric fields: monetary is not in every plan and has one currency only

DEAL_FIELDS = (
    DealField("STRIPE_PAYMENT_STATUS", "Payment status", "select", STATES, ("radiobutton", "text")),
    DealField("STRIPE_AMOUNT_PAID", "Amount paid", "numeric", {}, _NUMBER),
    DealField("STRIPE_REFUNDED", "Refunded amount", "numeric", {}, _NUMBER),
    DealField("STRIPE_OUTSTANDING", "Outstanding", "numeric", {}, _NUMBER),
    DealField("STRIPE_CURRENCY", "Currency", "text", {}, ("textarea",)),
    DealField("STRIPE_PAYMENT_INTENT", "Stripe Payment Intent ID", "text", {}, ("textarea",)),
    DealField("STRIPE_PAYMENT_DATE", "Payment date", "date_time", {}, ("date",)),
    DealField("STRIPE_PAYMENTS", "Payments", "numeric", {}),
    DealField("STRIPE_PAYMENT_LINK", "Payment link", "url", {}, ("text", "textarea")),
)


class FieldEntry(TypedDict):
    """Where one of our fields is in an account. ``enums``: state → option id, empty if the field is not a list."""

    id: int
    type: str
    enums: dict[str, int]


FieldMap = dict[str, FieldEntry]
"""Field code → its entry in this account; plain JSON, stored with the account."""


def find(wanted: DealField, there: Iterable[CustomField], known: Mapping[str, FieldEntry]) -> CustomField | None:
    """The account's field for ``wanted``, or None.

    Matched by code, then by the id in ``known``, then by name (a field that a person or another tool created).
    """
    fitting = [field for field in there if wanted.fits(field)]
    ranked = [(rank, field.id, field) for field in fitting if (rank := _rank(wanted, field, known)) is not None]
    return min(ranked, key=lambda one: one[:2])[2] if ranked else None


def _known_id(wanted: DealField, known: Mapping[str, FieldEntry]) -> int | None:
    entry = known.get(wanted.code)
    return entry["id"] if entry is not None else None


def _rank(wanted: DealField, field: CustomField, known: Mapping[str, FieldEntry]) -> int | None:
    if field.code == wanted.code:
        return 0
    if field.id == _known_id(wanted, known):
        return 1
    return 2 if field.name.strip().casefold() == wanted.name.casefold() else None


def missing(there: list[CustomField], known: Mapping[str, FieldEntry]) -> list[DealField]:
    """Our deal fields that the account does not have yet."""
    return [wanted for wanted in DEAL_FIELDS if find(wanted, there, known) is None]


def is_adopted(wanted: DealField, field: CustomField, known: Mapping[str, FieldEntry]) -> bool:
    """True if ``field`` was created by somebody else and ``known`` does not have it yet."""
    return field.code != wanted.code and field.id != _known_id(wanted, known)


def new(wanted: DealField, there: Iterable[CustomField], *, group_id: str | None, is_api_only: bool) -> NewField:
    """The field to create for ``wanted``. It gets no code if a field of another type has that code already."""
    is_taken = wanted.code in {field.code for field in there}
    return NewField(
        name=wanted.name,
        type=wanted.type,
        code=None if is_taken else wanted.code,
        options=tuple(wanted.options.values()),
        group_id=group_id,
        is_api_only=is_api_only,
    )


def enums(wanted: DealField, field: CustomField, known: Mapping[str, FieldEntry]) -> dict[str, int]:
    """State → option id, for the options that the field has. A renamed option is recognized by its id in ``known``."""
    by_label = {option.value.strip().casefold(): option.id for option in reversed(field.options)}
    labels = {state: label.casefold() for state, label in wanted.options.items()}
    found = {state: by_label[label] for state, label in labels.items() if label in by_label}
    there, entry = {option.id for option in field.options}, known.get(wanted.code)
    kept = entry["enums"] if entry is not None and entry["id"] == field.id else {}
    found |= {state: option_id for state, option_id in kept.items() if option_id in there and state in labels}
    return {state: found[state] for state in labels if state in found}


def lacking(wanted: DealField, field: CustomField, known: Mapping[str, FieldEntry]) -> list[str]:
    """The option labels that a list field still lacks; empty for a field of another type."""
    if field.type not in ("select", "radiobutton"):
        return []
    there = enums(wanted, field, known)
    return [label for state, label in wanted.options.items() if state not in there]
