"""What an answer must hold to be believed. What does not is ``KommoUnavailable``: the next try may make sense."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from backend.kommo_api.errors import KommoUnavailable
from backend.kommo_api.scalars import Row, Unreadable, required, text, whole
from backend.kommo_api.transport import Json, rows_of
from backend.kommo_api.values import NewNote

Value = TypeVar("Value")


def read(reader: Callable[[Row], Value], given: Row, *, is_write: bool = False) -> Value:
    try:
        return reader(given)
    except Unreadable as error:
        raise KommoUnavailable(f"the answer can't be read: {error}", doubtful=is_write) from error


def row_id(given: Row) -> int:
    return whole(required(given, "id"))


def new_ids(body: Json | None, plural: str) -> list[int]:
    """The ids in the answer to a write."""
    return [read(row_id, row, is_write=True) for row in rows_of(body, plural, is_write=True)]


def first(body: Json | None, plural: str) -> Json:
    """The one row in the answer to a write of one thing."""
    rows = rows_of(body, plural, is_write=True)
    if not rows:
        raise KommoUnavailable(f"the answer has no {plural}", doubtful=True)
    return rows[0]


def check_filter(rows: list[Json], key: str, asked: Collection[int]) -> None:
    """Kommo passes over a filter it does not know and sends everything: that would look like lost deals."""
    strange = {read(lambda row: whole(required(row, key)), row) for row in rows} - set(asked)
    if strange:
        raise KommoUnavailable(f"the answer holds what nobody asked for: {sorted(strange)[:3]}")


def note_ids(body: Json | None, notes: Sequence[NewNote]) -> dict[str, int]:
    """``request_id`` → note id; by deal where Kommo does not send our ``request_id`` back."""
    by_lead: dict[Any, str] = {note.lead_id: note.request_id for note in notes}
    known = {note.request_id for note in notes}
    made: dict[str, int] = {}
    for row in rows_of(body, "notes", is_write=True):
        asked = text(row.get("request_id"))
        request_id = asked if asked in known else by_lead.get(row.get("entity_id"))
        if request_id is None or request_id in made:
            raise KommoUnavailable("the answer does not say which note is whose", doubtful=True)
        made[request_id] = read(row_id, row, is_write=True)
    return made
