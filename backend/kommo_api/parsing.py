"""Parsers of rows in Kommo's answers. Each ignores unknown keys and raises ``Unreadable`` without an id."""

from decimal import Decimal
from typing import Any

from backend.kommo_api.scalars import Row, flag, number, required, row, rows, text, whole, whole_or
from backend.kommo_api.values import (
    LOST,
    WON,
    AccountInfo,
    Contact,
    CustomField,
    FieldGroup,
    FieldOption,
    FieldValue,
    KommoNote,
    KommoTask,
    Lead,
    Pipeline,
    Status,
    User,
)

OWN_ONLY = "M"
"""The right assumed when Kommo sends none: only the user's own deals."""


def account(given: Row) -> AccountInfo:
    """Parse the account; the currency in upper case, the time zone 'UTC' if Kommo sends none."""
    settings = row(row(given.get("_embedded")).get("datetime_settings"))
    return AccountInfo(
        id=whole(required(given, "id")),
        name=text(given.get("name")),
        subdomain=text(given.get("subdomain")),
        currency=text(required(given, "currency")).upper(),
        timezone=text(settings.get("timezone")) or "UTC",
        current_user_id=whole_or(given.get("current_user_id"), 0),
        language=text(given.get("language")),
    )


def user(given: Row) -> User:
    """Parse a user and their rights (docs/facts/kommo-api.md 11.1). An unknown letter counts as *own deals only*."""
    rights = row(given.get("rights"))
    leads = row(rights.get("leads"))
    return User(
        id=whole(required(given, "id")),
        name=text(given.get("name")),
        email=text(given.get("email")),
        lang=text(given.get("lang")),
        is_admin=flag(rights.get("is_admin")),
        is_active=flag(rights.get("is_active", True)),
        group_id=whole_or(rights.get("group_id"), 0),
        leads_view=_letter(leads.get("view")),
        leads_edit=_letter(leads.get("edit")),
        stage_view=_stage_letters(rights, "view"),
    )


def _stage_letters(rights: Row, action: str) -> dict[tuple[int, int], str]:
    """(pipeline, status) → A or D. An unreadable letter counts as D; two rows of one stage allow only what both do."""
    found: dict[tuple[int, int], str] = {}
    for one in rows(rights.get("status_rights")):
        letter = row(one.get("rights")).get(action)
        if text(one.get("entity_type")) != "leads" or letter in (None, ""):
            continue
        stage = (whole(required(one, "pipeline_id")), whole(required(one, "status_id")))
        found[stage] = "A" if letter == "A" and found.get(stage, "A") == "A" else "D"
    return found


def _letter(given: Any) -> str:
    return given if given in ("A", "G", "M", "D") else OWN_ONLY


def lead(given: Row) -> Lead:
    """Parse a deal (docs/facts/kommo-api.md 7.1) without empty fields; absent numbers are 0. Raises ``Unreadable``."""
    embedded = row(given.get("_embedded"))
    return Lead(
        id=whole(required(given, "id")),
        name=text(given.get("name")),
        price=_price(given),
        pipeline_id=whole(required(given, "pipeline_id")),
        status_id=whole(required(given, "status_id")),
        responsible_user_id=whole_or(given.get("responsible_user_id"), 0),
        group_id=whole_or(given.get("group_id"), 0),
        updated_at=whole_or(given.get("updated_at"), 0),
        updated_by=whole_or(given.get("updated_by"), 0),
        main_contact_id=_main_contact(rows(embedded.get("contacts"))),
        contact_ids=tuple(whole(required(one, "id")) for one in rows(embedded.get("contacts"))),
        tags=tuple(text(tag.get("name")) for tag in rows(embedded.get("tags"))),
        fields={whole(required(one, "field_id")): _values(one) for one in _filled(given)},
    )


def _price(given: Row) -> int | Decimal:
    """The price in whole units. ``price_with_minor_units`` is, despite its name, a decimal in whole units too
    (docs/facts/kommo-api.md 7.2); not every account sends it."""
    exact = given.get("price_with_minor_units")
    price = number((given.get("price") or 0) if exact in (None, "") else exact)
    return int(price) if price == price.to_integral_value() else price


def _main_contact(contacts: list[Row]) -> int | None:
    main = next((one for one in contacts if flag(one.get("is_main"))), None)
    return whole(required(main, "id")) if main else None


def _filled(given: Row) -> list[Row]:
    return [one for one in rows(given.get("custom_fields_values")) if rows(one.get("values"))]


def _values(given: Row) -> tuple[FieldValue, ...]:
    return tuple(FieldValue(_value(one.get("value")), _enum_id(one)) for one in rows(given.get("values")))


def _value(given: Any) -> Any:
    return f"{given:f}" if isinstance(given, Decimal) else given


def _enum_id(given: Row) -> int | None:
    return whole_or(given.get("enum_id"), 0) or None


def contact(given: Row) -> Contact:
    """Parse a contact with its first e-mail address and phone number, or None for a missing one."""
    by_code = {one.get("field_code"): _values(one)[0].value for one in _filled(given)}
    return Contact(
        id=whole(required(given, "id")),
        name=text(given.get("name")),
        email=text(by_code.get("EMAIL")) or None,
        phone=text(by_code.get("PHONE")) or None,
    )


def note(given: Row) -> KommoNote:
    """Parse a note; its text is '' if Kommo sends none. Raises ``Unreadable`` without its id or the deal's."""
    return KommoNote(
        id=whole(required(given, "id")),
        lead_id=whole(required(given, "entity_id")),
        text=text(row(given.get("params")).get("text")),
        created_at=whole_or(given.get("created_at"), 0),
        note_type=text(given.get("note_type")) or "common",
        params=row(given.get("params")),
    )


def task(given: Row) -> KommoTask:
    """Parse a task."""
    return KommoTask(
        id=whole(required(given, "id")),
        lead_id=whole(required(given, "entity_id")),
        text=text(given.get("text")),
        is_completed=flag(given.get("is_completed")),
    )


def pipeline(given: Row) -> Pipeline:
    """Parse a pipeline; its stages in Kommo's order, won and lost last (docs/facts/kommo-api.md 10)."""
    pipeline_id = whole(required(given, "id"))
    statuses = [_status(one, pipeline_id) for one in rows(row(given.get("_embedded")).get("statuses"))]
    return Pipeline(
        id=pipeline_id,
        name=text(given.get("name")),
        sort=whole_or(given.get("sort"), 0),
        is_main=flag(given.get("is_main")),
        is_archive=flag(given.get("is_archive")),
        statuses=tuple(sorted(statuses, key=lambda one: (one.id in (WON, LOST), one.sort, one.id))),
    )


def _status(given: Row, pipeline_id: int) -> Status:
    return Status(
        id=whole(required(given, "id")),
        name=text(given.get("name")),
        sort=whole_or(given.get("sort"), 0),
        type=whole_or(given.get("type"), 0),
        pipeline_id=pipeline_id,
    )


def custom_field(given: Row) -> CustomField:
    """Parse a custom field; no code or group is None."""
    return CustomField(
        id=whole(required(given, "id")),
        name=text(given.get("name")),
        type=text(given.get("type")),
        code=text(given.get("code")) or None,
        group_id=text(given.get("group_id")) or None,
        is_api_only=flag(given.get("is_api_only")),
        options=tuple(_option(one) for one in rows(given.get("enums"))),
    )


def _option(given: Row) -> FieldOption:
    return FieldOption(
        id=whole(required(given, "id")), value=text(given.get("value")), sort=whole_or(given.get("sort"), 0)
    )


def group(given: Row) -> FieldGroup:
    """Parse a tab (field group) of the deal card; its id is a text."""
    return FieldGroup(id=text(required(given, "id")), name=text(given.get("name")))
