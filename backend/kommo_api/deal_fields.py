"""The nine deal fields that we write (docs/design.md 7), and how they are found among an account's fields."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

from backend.core.i18n import LANGUAGES, Texts, texts_in
from backend.kommo_api.values import CustomField, NewField

_NAMES = Path(__file__).parent / "field_names"
GROUP = "GROUP"
"""Key of the group's name in ``field_names/``, next to the fields' codes and the states."""


def names_in(language: str) -> Texts:
    """The names of the group, the fields and the options in ``language``; English if it is not one of ours."""
    return texts_in(_NAMES, language)


@cache
def _every_name(key: str) -> frozenset[str]:
    return frozenset(names_in(language).say(key).casefold() for language in LANGUAGES)


def is_named(key: str, name: str) -> bool:
    """True if ``name`` is our name for ``key`` (the group, a field or a state) in any of our languages."""
    return name.strip().casefold() in _every_name(key)


@dataclass(frozen=True, slots=True)
class DealField:
    """A deal field that we want. ``options``: the states, for the list.

    ``also``: other field types that hold the same value, for a field that a person created.
    """

    code: str
    type: str
    options: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The field's English name."""
        return names_in("en").say(self.code)

    def fits(self, field: CustomField) -> bool:
        """True if the type of ``field`` can hold our value."""
        return field.type in (self.type, *self.also)


_STATES = (
    "pending", "processing", "paid", "partially_paid", "failed", "refunded", "partially_refunded", "disputed",
    "cancelled",
)  # fmt: skip
STATES = {state: names_in("en").say(state) for state in _STATES}

_NUMBER = ("monetary",)  # we create numeric fields: monetary is not in every plan and has one currency only

DEAL_FIELDS = (
    DealField("STRIPE_PAYMENT_STATUS", "select", _STATES, ("radiobutton", "text")),
    DealField("STRIPE_AMOUNT_PAID", "numeric", also=_NUMBER),
    DealField("STRIPE_REFUNDED", "numeric", also=_NUMBER),
    DealField("STRIPE_OUTSTANDING", "numeric", also=_NUMBER),
    DealField("STRIPE_CURRENCY", "text", also=("textarea",)),
    DealField("STRIPE_PAYMENT_INTENT", "text", also=("textarea",)),
    DealField("STRIPE_PAYMENT_DATE", "date_time", also=("date",)),
    DealField("STRIPE_PAYMENTS", "numeric"),
    DealField("STRIPE_PAYMENT_LINK", "url", also=("text", "textarea")),
)


class FieldEntry(TypedDict):
    """Where one of our fields is in an account. ``enums``: state → option id, empty if the field is not a list."""

    id: int
    type: str
    enums: dict[str, int]


FieldMap = dict[str, FieldEntry]
"""Field code → its entry in this account; plain JSON, stored with the account."""


def find(wanted: DealField, there: Iterable[CustomField], known: Mapping[str, FieldEntry]) -> CustomField | None:
    """The account's field for ``wanted``, or None: matched by code, then by the id in ``known``.

    Of several the one with the lowest id. Never matched by name, which users can change.
    """
    fitting = [field for field in there if wanted.fits(field)]
    by_code = [field for field in fitting if field.code == wanted.code]
    by_id = [field for field in fitting if field.id == _known_id(wanted, known)]
    return min(by_code or by_id, key=lambda one: one.id, default=None)


def made_without_code(wanted: DealField, there: Iterable[CustomField]) -> CustomField | None:
    """The field that an earlier set-up created without a code, found by its name, or None: its id was never stored."""
    named = [one for one in there if one.code is None and wanted.fits(one) and is_named(wanted.code, one.name)]
    return min(named, key=lambda one: one.id, default=None)


def _known_id(wanted: DealField, known: Mapping[str, FieldEntry]) -> int | None:
    entry = known.get(wanted.code)
    return entry["id"] if entry is not None else None


def missing(there: Iterable[CustomField], known: Mapping[str, FieldEntry]) -> list[DealField]:
    """Our deal fields that the account does not have yet."""
    there = list(there)
    return [wanted for wanted in DEAL_FIELDS if find(wanted, there, known) is None]


def new(
    wanted: DealField, there: Iterable[CustomField], *, names: Texts, group_id: str | None, is_api_only: bool
) -> NewField:
    """The field to create for ``wanted``. It gets no code if a field of another type has that code already."""
    return NewField(
        name=names.say(wanted.code),
        type=wanted.type,
        code=None if is_code_taken(wanted, there) else wanted.code,
        options=tuple(names.say(state) for state in wanted.options),
        group_id=group_id,
        is_api_only=is_api_only,
    )


def is_code_taken(wanted: DealField, there: Iterable[CustomField]) -> bool:
    """True if a field of the account has the code of ``wanted``."""
    return wanted.code in {field.code for field in there}


def enums(wanted: DealField, field: CustomField, known: Mapping[str, FieldEntry]) -> dict[str, int]:
    """State → option id, for the options that the field has.

    An option is recognized by its id in ``known``, and by our label in any language only if that state has no known id.
    """
    there, entry = {option.id for option in field.options}, known.get(wanted.code)
    kept = entry["enums"] if entry is not None and entry["id"] == field.id else {}
    found = {state: option_id for state, option_id in kept.items() if option_id in there}
    rest = [option for option in field.options if option.id not in found.values()]
    for state in wanted.options:
        labelled = next((option.id for option in rest if is_named(state, option.value)), None)
        if state not in found and labelled is not None:
            found[state] = labelled
    return {state: found[state] for state in wanted.options if state in found}


def lacking(wanted: DealField, field: CustomField, known: Mapping[str, FieldEntry]) -> list[str]:
    """The states for which a list field still lacks an option; empty for a field of another type."""
    if field.type not in ("select", "radiobutton"):
        return []
    there = enums(wanted, field, known)
    return [state for state in wanted.options if state not in there]


def group_of_fields(there: Iterable[CustomField], known: Mapping[str, FieldEntry]) -> str | None:
    """The id of the group that most of our fields are in, or None if the account has none of them."""
    there = list(there)
    ids = [field.group_id for wanted in DEAL_FIELDS if (field := find(wanted, there, known)) and field.group_id]
    return max(ids, key=ids.count, default=None)
