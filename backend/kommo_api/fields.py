"""Creates our deal fields in an account and finds them. Every function may be called again at any time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.kommo_api.client import KommoApi
from backend.kommo_api.deal_fields import (
    DEAL_FIELDS,
    GROUP,
    DealField,
    FieldEntry,
    FieldMap,
    enums,
    find,
    is_adopted,
    lacking,
    missing,
    new,
)
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused
from backend.kommo_api.values import CustomField, NewField


class FieldsNeedAdmin(KommoForbidden):
    """Only a Kommo administrator can make the deal fields: connect again as an administrator."""


@dataclass(frozen=True, slots=True)
class FieldSetup:
    """Result of ``ensure_fields``, by field code.

    ``made``: created now. ``adopted``: existed already under our name. ``completed``: got options that they lacked.
    ``refused``: code → Kommo's reason; ``fields`` has no entry for it, or a list without its new options.
    """

    fields: FieldMap
    made: tuple[str, ...]
    adopted: tuple[str, ...]
    completed: tuple[str, ...]
    refused: Mapping[str, str]


async def present_fields(api: KommoApi, known: Mapping[str, FieldEntry]) -> FieldMap:
    """Our fields and options that the account has. Creates nothing; ``known`` as in ``ensure_fields``."""
    return _map(_found(await api.custom_fields(), known), known)


async def ensure_fields(api: KommoApi, known: Mapping[str, FieldEntry]) -> FieldSetup:
    """Create the missing deal fields and options, and return where all of them are.

    ``known``: the fields and options found last time. Raises ``FieldsNeedAdmin`` if something must be created and the
    token's user may not, and ``KommoRefused`` if Kommo takes none of the nine fields or no option of the list.
    """
    before = await api.custom_fields()
    try:
        there, refused = await _with_missing(api, before, known)
        there, completed, lists = await _with_options(api, there, known)
    except KommoForbidden as error:
        raise FieldsNeedAdmin(error.detail) from error
    found = _found(there, known)
    old_ids = {field.id for field in before}
    return FieldSetup(
        fields=_map(found, known),
        made=tuple(one.code for one, field in found if field.id not in old_ids),
        adopted=tuple(one.code for one, field in found if field.id in old_ids and is_adopted(one, field, known)),
        completed=completed,
        refused=refused | lists,
    )


def _map(found: Sequence[tuple[DealField, CustomField]], known: Mapping[str, FieldEntry]) -> FieldMap:
    return {one.code: {"id": field.id, "type": field.type, "enums": enums(one, field, known)} for one, field in found}


def _found(there: Sequence[CustomField], known: Mapping[str, FieldEntry]) -> list[tuple[DealField, CustomField]]:
    return [(wanted, field) for wanted in DEAL_FIELDS if (field := find(wanted, there, known))]


async def _with_missing(
    api: KommoApi, there: list[CustomField], known: Mapping[str, FieldEntry]
) -> tuple[list[CustomField], dict[str, str]]:
    """The fields after the missing ones were created, and the refusals by code.

    Kommo may refuse ``is_api_only``, or another process may take a code at the same moment. Kommo does not always
    say which, so the fields are listed again after a refusal.
    """
    if not missing(there, known):
        return there, {}
    group_id = await _group(api)
    for is_api_only in (True, False):
        rest = missing(there, known)
        try:
            if rest:
                await api.create_fields([new(one, there, group_id=group_id, is_api_only=is_api_only) for one in rest])
            return await api.custom_fields(), {}
        except KommoRefused:
            there = await api.custom_fields()
    refused = await _make_one_by_one(api, there, missing(there, known))
    return await api.custom_fields(), refused


async def _make_one_by_one(api: KommoApi, there: list[CustomField], rest: list[DealField]) -> dict[str, str]:
    """Create plain fields one by one, so that a refused field does not prevent the others."""
    refusals: dict[str, KommoRefused] = {}
    for one in rest:
        try:
            await _make_plain(api, new(one, there, group_id=None, is_api_only=False))
        except KommoRefused as refused:
            refusals[one.code] = refused
    if refusals and len(refusals) == len(DEAL_FIELDS):
        raise next(iter(refusals.values()))
    return {code: str(refused) for code, refused in refusals.items()}


async def _make_plain(api: KommoApi, field: NewField) -> None:
    """Create the field, without its code if Kommo refuses the code: the field is then found by its name."""
    try:
        await api.create_fields([field])
    except KommoRefused:
        if field.code is None:
            raise
        await api.create_fields([replace(field, code=None)])


async def _group(api: KommoApi) -> str | None:
    """The id of our tab, found by its name or created; None if Kommo refuses tabs."""
    try:
        found = next((group for group in await api.groups() if group.name == GROUP), None)
        return (found or await api.create_group(GROUP)).id
    except (KommoRefused, KommoNotFound):
        return None


async def _with_options(
    api: KommoApi, there: list[CustomField], known: Mapping[str, FieldEntry]
) -> tuple[list[CustomField], tuple[str, ...], dict[str, str]]:
    """The fields after each list got the options it lacks, the codes of those lists, and what was refused.

    A list that has some of our states is kept without the new one, so that the account's set-up still succeeds.
    """
    short = [(one, field, labels) for one, field in _found(there, known) if (labels := lacking(one, field, known))]
    completed, refused = [], {}
    for one, field, labels in short:
        try:
            await api.update_field(field, add_options=labels)
            completed.append(one.code)
        except (KommoForbidden, KommoRefused) as error:
            if not enums(one, field, known):
                raise
            refused[one.code] = f"the options {', '.join(labels)} were not added ({error}); add them by hand."
    return (await api.custom_fields() if completed else there), tuple(completed), refused
