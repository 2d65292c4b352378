"""Makes sure that an account has our deal fields, and tells where they are. May be called at any time, and again."""

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
    """``made``, ``adopted`` (a field that was there under our name), ``completed`` (got the options it lacked):
    codes. ``refused``: code → Kommo's reason; of these ``fields`` has nothing, or a list without its new options."""

    fields: FieldMap
    made: tuple[str, ...]
    adopted: tuple[str, ...]
    completed: tuple[str, ...]
    refused: Mapping[str, str]


async def present_fields(api: KommoApi, known: Mapping[str, FieldEntry]) -> FieldMap:
    """As ``ensure_fields``, but nothing is made: what is there of our fields and their options."""
    return _map(_found(await api.custom_fields(), known), known)


async def ensure_fields(api: KommoApi, known: Mapping[str, FieldEntry]) -> FieldSetup:
    """``known``: the fields and options of the last time.

    Raises ``FieldsNeedAdmin`` where something must be made and the token's user may not, and ``KommoRefused`` where
    Kommo takes none of the nine, or no state of the list.
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
    """The fields after the missing ones were made, and what was refused. Kommo may refuse ``is_api_only``, and
    another process may take a code at the same moment: it does not always say which, so it is looked at again."""
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
    """Plain fields, so that one that this account can't have does not cost the others."""
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
    """Without its code where Kommo does not take that: the field is then found by its name."""
    try:
        await api.create_fields([field])
    except KommoRefused:
        if field.code is None:
            raise
        await api.create_fields([replace(field, code=None)])


async def _group(api: KommoApi) -> str | None:
    """Our tab, found by its name or made; ``None`` where Kommo has none to give."""
    try:
        found = next((group for group in await api.groups() if group.name == GROUP), None)
        return (found or await api.create_group(GROUP)).id
    except (KommoRefused, KommoNotFound):
        return None


async def _with_options(
    api: KommoApi, there: list[CustomField], known: Mapping[str, FieldEntry]
) -> tuple[list[CustomField], tuple[str, ...], dict[str, str]]:
    """The fields after each list got the options it lacks, the codes of those lists, and what was refused.

    A list that has some of our states goes on without the new one: it costs no account its set-up.
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
