"""Checks Kommo's answers. An answer that fails a check is ``KommoUnavailable``, because a repetition may succeed."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from backend.kommo_api.errors import KommoUnavailable
from backend.kommo_api.scalars import Row, Unreadable, required, text, whole
from backend.kommo_api.transport import Json, rows_of
from backend.kommo_api.values import NewNote

Value = TypeVar("Value")


def read(reader: Callable[[Row], Value], given: Row, *, is_write: bool = False) -> Value:
    """The value that ``reader`` parses from ``given``.

    Raises ``KommoUnavailable`` instead of ``Unreadable``; it is ``doubtful`` after a write.
    """
    try:
        return reader(given)
    except Unreadable as error:
        raise KommoUnavailable(f"the answer cannot be read: {error}", doubtful=is_write) from error


def row_id(given: Row) -> int:
    """The ``id`` of a row. Raises ``Unreadable``."""
    return whole(required(given, "id"))


def new_ids(body: Json | None, plural: str) -> list[int]:
    """The ids in the answer to a write, in its order. Raises a doubtful ``KommoUnavailable`` if they cannot be read."""
    return [read(row_id, row, is_write=True) for row in rows_of(body, plural, is_write=True)]


def check_id(body: Json | None, asked: int, *, is_write: bool = False) -> None:
    """Raise ``KommoUnavailable``, ``doubtful`` after a write, unless the answer is about the object with this id."""
    if read(row_id, body or {}, is_write=is_write) != asked:
        raise KommoUnavailable(f"the answer is not about {asked}", doubtful=is_write)


def first(body: Json | None, plural: str) -> Json:
    """The first row in the answer to a write of one item. Raises a doubtful ``KommoUnavailable`` if there is none."""
    rows = rows_of(body, plural, is_write=True)
    if not rows:
        raise KommoUnavailable(f"the answer has no {plural}", doubtful=True)
    return rows[0]


def check_filter(rows: list[Json], key: str, asked: Collection[int]) -> None:
    """Raise ``KommoUnavailable`` if a row's ``key`` is not one of ``asked``.

    Kommo ignores a filter it does not know and sends everything (docs/facts/kommo-api.md 5); without this check the
    deals we asked for would look deleted.
    """
    strange = {read(lambda row: whole(required(row, key)), row) for row in rows} - set(asked)
    if strange:
        raise KommoUnavailable(f"the answer holds rows that were not asked for: {sorted(strange)[:3]}")


def note_ids(body: Json | None, notes: Sequence[NewNote]) -> dict[str, int]:
    """Note ids by ``request_id``, matched by deal if Kommo does not send the ``request_id`` back.

    Raises a doubtful ``KommoUnavailable`` if a note cannot be matched.
    """
    by_lead: dict[Any, str] = {note.lead_id: note.request_id for note in notes}
    known = {note.request_id for note in notes}
    made: dict[str, int] = {}
    for row in rows_of(body, "notes", is_write=True):
        asked = text(row.get("request_id"))
        request_id = asked if asked in known else by_lead.get(row.get("entity_id"))
        if request_id is None or request_id in made:
            raise KommoUnavailable("the answer does not match its notes to our requests", doubtful=True)
        made[request_id] = read(row_id, row, is_write=True)
    return made
