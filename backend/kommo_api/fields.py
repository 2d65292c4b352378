"""Creates our deal fields in an account and finds them. Every function may be called again at any time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.core.i18n import Texts
from backend.kommo_api.client import KommoApi
from backend.kommo_api.deal_fields import (
    DEAL_FIELDS,
    GROUP,
    DealField,
    FieldEntry,
    FieldMap,
    enums,
    find,
    group_of_fields,
    is_code_taken,
    is_named,
    lacking,
    made_without_code,
    missing,
    names_in,
    new,
)
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused, KommoUnavailable
from backend.kommo_api.values import CustomField, NewField

Known = Mapping[str, FieldEntry]


class FieldsNeedAdmin(KommoForbidden):
    """Only a Kommo administrator can create the deal fields: connect again as an administrator."""

    says = "kommo_fields_need_administrator"


@dataclass(frozen=True, slots=True)
class FieldSetup:
    """Result of ``ensure_fields``, by field code.

    ``made``: created now. ``completed``: got options that they lacked.
    ``refused``: code → Kommo's reason; ``fields`` has no entry for it, or a list without its new options.
    """

    fields: FieldMap
    made: tuple[str, ...]
    completed: tuple[str, ...]
    refused: Mapping[str, str]


async def present_fields(api: KommoApi, known: Known) -> FieldMap:
    """Our fields and options that the account has. Creates nothing; ``known`` as in ``ensure_fields``."""
    return _map(_found(await _listed(api, known), known), known)


async def ensure_fields(api: KommoApi, known: Known, language: str = "en") -> FieldSetup:
    """Create the missing deal fields and options, named in ``language``, and return where all of them are.

    ``known``: the fields and options found last time. Raises ``FieldsNeedAdmin`` if something must be created and the
    token's user may not, and ``KommoRefused`` if Kommo takes none of the nine fields or no option of the list.
    """
    before, names = await _listed(api, known), names_in(language)
    try:
        there, known, refused = await _with_missing(api, before, known, names)
        there, completed, lists = await _with_options(api, there, known, names)
    except KommoForbidden as error:
        raise FieldsNeedAdmin(error.detail) from error
    if {one.code for one in missing(there, known)} - refused.keys():
        raise KommoUnavailable("the answer lacks deal fields that were created")
    found = _found(there, known)
    old_ids = {field.id for field in before}
    return FieldSetup(
        fields=_map(found, known),
        made=tuple(one.code for one, field in found if field.id not in old_ids),
        completed=completed,
        refused=refused | lists,
    )


async def _listed(api: KommoApi, known: Known) -> list[CustomField]:
    """All deal fields. An empty list is no answer once the account has had fields: it has Kommo's own ones at least."""
    there = await api.custom_fields()
    if known and not there:
        raise KommoUnavailable("the answer has no deal fields")
    return there


def _map(found: Sequence[tuple[DealField, CustomField]], known: Known) -> FieldMap:
    return {one.code: {"id": field.id, "type": field.type, "enums": enums(one, field, known)} for one, field in found}


def _found(there: Sequence[CustomField], known: Known) -> list[tuple[DealField, CustomField]]:
    return [(wanted, field) for wanted in DEAL_FIELDS if (field := find(wanted, there, known))]


async def _with_missing(
    api: KommoApi, there: list[CustomField], known: Known, names: Texts
) -> tuple[list[CustomField], Known, dict[str, str]]:
    """The fields after the missing ones were created, the ids we know with those of fields without a code, and the
    refusals by code.

    Kommo may refuse ``is_api_only``, or another process may take a code at the same moment. Kommo does not always
    say which, so the fields are listed again after a refusal.
    """
    if not missing(there, known):
        return there, known, {}
    group_id = await _group(api, there, known, names)
    for is_api_only in (True, False):
        known = _with_uncoded(there, known)
        rest = [
            new(one, there, names=names, group_id=group_id, is_api_only=is_api_only) for one in missing(there, known)
        ]
        try:
            if rest:
                await api.create_fields(rest)
            there = await api.custom_fields()
            return there, _with_uncoded(there, known), {}
        except KommoRefused:
            there = await api.custom_fields()
    known, refused = await _make_one_by_one(api, there, known, names)
    return await api.custom_fields(), known, refused


def _with_uncoded(there: list[CustomField], known: Known) -> Known:
    """``known`` with the fields that were created without a code, because another field has it."""
    rest = [one for one in missing(there, known) if is_code_taken(one, there)]
    found = {one.code: field for one in rest if (field := made_without_code(one, there))}
    return {**known, **{code: FieldEntry(id=field.id, type=field.type, enums={}) for code, field in found.items()}}


async def _make_one_by_one(
    api: KommoApi, there: list[CustomField], known: Known, names: Texts
) -> tuple[Known, dict[str, str]]:
    """Create plain fields one by one, so that a refused field does not prevent the others."""
    refusals: dict[str, KommoRefused] = {}
    ids = dict(known)
    for one in missing(there, known):
        try:
            field = new(one, there, names=names, group_id=None, is_api_only=False)
            made_id = await _make_plain(api, one, field, there)
            ids[one.code] = FieldEntry(id=made_id, type=one.type, enums={})
        except KommoRefused as refused:
            refusals[one.code] = refused
    if refusals and len(refusals) == len(DEAL_FIELDS):
        raise next(iter(refusals.values()))
    return ids, {code: str(refused) for code, refused in refusals.items()}


async def _make_plain(api: KommoApi, wanted: DealField, field: NewField, there: list[CustomField]) -> int:
    """Create the field and return its id; without its code if Kommo refuses the code."""
    try:
        return (await api.create_fields([field]))[0]
    except KommoRefused:
        if field.code is None:
            raise
    if earlier := made_without_code(wanted, there):
        return earlier.id
    return (await api.create_fields([replace(field, code=None)]))[0]


async def _group(api: KommoApi, there: list[CustomField], known: Known, names: Texts) -> str | None:
    """The id of the tab that our fields have; else of one that an earlier try created, or of a new one; None if Kommo
    refuses tabs."""
    try:
        groups = await api.groups()
        ours = group_of_fields(there, known)
        found = [group.id for group in groups if group.id == ours] or [
            group.id for group in groups if is_named(GROUP, group.name)
        ]
        return found[0] if found else (await api.create_group(names.say(GROUP))).id
    except (KommoRefused, KommoNotFound):
        return None


async def _with_options(
    api: KommoApi, there: list[CustomField], known: Known, names: Texts
) -> tuple[list[CustomField], tuple[str, ...], dict[str, str]]:
    """The fields after each list got the options it lacks, the codes of those lists, and what was refused.

    A list that has some of our states is kept without the new one, so that the account's set-up still succeeds.
    """
    short = [(one, field, states) for one, field in _found(there, known) if (states := lacking(one, field, known))]
    completed, refused = [], {}
    for one, field, states in short:
        labels = [names.say(state) for state in states]
        try:
            await api.update_field(field, add_options=labels)
            completed.append(one.code)
        except (KommoForbidden, KommoRefused) as error:
            if not enums(one, field, known):
                raise
            refused[one.code] = f"the options {', '.join(labels)} were not added ({error}); add them by hand."
    return (await api.custom_fields() if completed else there), tuple(completed), refused
