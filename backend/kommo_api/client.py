"""API v4 of one Kommo account, typed: values in, values out.

Every method raises a ``KommoError``; a body that cannot be parsed is ``KommoUnavailable``. Kommo has no optimistic
locking and no de-duplication, so the caller decides whether to repeat a write (docs/facts/kommo-api.md 7.2, 9).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import httpx

from backend.kommo_api import parsing, payloads
from backend.kommo_api.automation.stage_changes import stage_change
from backend.kommo_api.chats.api import ChatApi
from backend.kommo_api.errors import KommoNotFound, KommoRefused, KommoUnavailable
from backend.kommo_api.merges import merge
from backend.kommo_api.responses import check_filter, check_id, first, new_ids, note_ids, read, row_id
from backend.kommo_api.scalars import Row, whole_or
from backend.kommo_api.transport import PAGE, Json, OnAnswer, Query, Turn, Wire, rows_found, rows_of
from backend.kommo_api.values import (
    AccountInfo,
    Contact,
    CustomField,
    FieldGroup,
    KommoNote,
    KommoTask,
    Lead,
    LeadChange,
    Merge,
    NewField,
    NewLead,
    NewNote,
    Pipeline,
    StageChange,
    User,
)

Value = TypeVar("Value")

ACCOUNT = "/api/v4/account"
USERS = "/api/v4/users"
LEADS = "/api/v4/leads"
NOTES = "/api/v4/leads/notes"
PIPELINES = "/api/v4/leads/pipelines"
FIELDS = "/api/v4/leads/custom_fields"
GROUPS = "/api/v4/leads/custom_fields/groups"
CONTACTS = "/api/v4/contacts"
TASKS = "/api/v4/tasks"
EVENTS = "/api/v4/events"
EVENTS_PAGE = 100
"""Kommo's reference allows 250 rows a page, its users' libraries 100 (docs/facts/kommo-automation.md 7)."""
MOST_EVENTS = 2_000
MOST_NAMED_IN_EVENTS = 10
ENTRIES = ("lead_added", "lead_status_changed")
"""Types of the events by which a deal enters a stage."""


class KommoApi:
    """The calls of one account. ``base_url`` has no path; each request runs inside ``turn()`` (``transport.Turn``)."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        access_token: str,
        turn: Turn,
        *,
        on_answer: OnAnswer | None = None,
    ) -> None:
        self._wire = Wire(http, base_url, access_token, turn, on_answer)
        self.chats = ChatApi(self._wire)

    async def account(self) -> AccountInfo:
        """The account of the token, with its currency and time zone (docs/facts/kommo-api.md 11)."""
        return read(parsing.account, await self._wire.get(ACCOUNT, [("with", "datetime_settings")]) or {})

    async def user(self, user_id: int) -> User | None:
        """The user with this id, or None (docs/facts/kommo-api.md 11). Needs an administrator's token, else
        ``KommoForbidden``."""
        return await self._one(USERS, user_id, parsing.user)

    async def users(self) -> list[User]:
        """All users, inactive ones too (docs/facts/kommo-api.md 11). Needs an administrator's token, else
        ``KommoForbidden``."""
        return await self._all(USERS, "users", parsing.user)

    async def leads(self, ids: Sequence[int], *, contacts: bool = False) -> dict[int, Lead]:
        """The existing deals among ``ids``, by id; a deleted deal is left out.

        Sends one request per 250 ids, Kommo's largest page. ``contacts`` fills the contact ids of each deal.
        """
        found: dict[int, Lead] = {}
        for chunk in _chunks(ids):
            query = [*(("filter[id][]", lead_id) for lead_id in chunk), *_with(contacts)]
            left = set(chunk)
            async for rows in self._wire.pages(LEADS, "leads", query):
                check_filter(rows, "id", chunk)
                existing = (read(parsing.lead, one) for one in rows if not one.get("is_deleted"))
                found |= {lead.id: lead for lead in existing}
                left -= {read(row_id, one) for one in rows}
                if not left:  # a full page, and nothing can follow
                    break
        return found

    async def lead(self, lead_id: int, contacts: bool = True) -> Lead | None:
        """The deal, or None if it does not exist or was deleted (204 or 404, docs/facts/kommo-api.md 7.1)."""
        try:
            body = await self._wire.get(f"{LEADS}/{lead_id}", _with(contacts))
        except KommoNotFound:  # the deal or the whole account is missing at this host: the list shows which
            return (await self.leads([lead_id], contacts=contacts)).get(lead_id)
        if body is not None:
            check_id(body, lead_id)
        return None if body is None or body.get("is_deleted") else read(parsing.lead, body)

    async def patch_leads(self, changes: Sequence[LeadChange]) -> set[int]:
        """Write 1 to 250 changes in one request and return the ids that Kommo confirmed.

        All ids, or only the good ones where Kommo saves part of a batch (docs/facts/kommo-api.md 6). Raises
        ``ValueError`` for another number of changes and ``KommoRefused`` if Kommo refuses the batch.
        """
        _check_size(changes)
        body = await self._wire.patch(LEADS, [payloads.lead_change(change) for change in changes])
        return set(new_ids(body, "leads"))

    async def leads_made_since(self, moment: float) -> list[Lead]:
        """The deals created at ``moment`` (Unix seconds) or later, oldest first."""
        query = [("filter[created_at][from]", int(moment)), ("order[id]", "asc")]
        return [read(parsing.lead, one) async for rows in self._wire.pages(LEADS, "leads", query) for one in rows]

    async def search(self, text: str) -> set[int]:
        """The ids of the deals that Kommo's full-text search finds for ``text``, directly or by a contact.

        The first 250 of each. The search is fuzzy (docs/facts/kommo-api.md 7.1): the caller compares afterwards.
        """
        query: Query = [("query", text), ("limit", PAGE)]
        by_deal = self._wire.get(LEADS, query)
        by_contact = self._wire.get(CONTACTS, [*query, ("with", "leads")])
        deals, contacts = await asyncio.gather(by_deal, by_contact)
        found = rows_found(deals, "leads")
        theirs = [deal for one in rows_found(contacts, "contacts") for deal in rows_of(one, "leads")]
        return {read(row_id, one) for one in (*found, *theirs)}

    async def create_lead(self, lead: NewLead) -> int:
        """Create a deal and return its id (docs/facts/kommo-api.md 7.2). A second call creates a second deal."""
        body = await self._wire.post(LEADS, [payloads.new_lead(lead)])
        return read(row_id, first(body, "leads"), is_write=True)

    async def post_notes(self, notes: Sequence[NewNote]) -> dict[str, int]:
        """Post 1 to 250 notes in one request and return their ids by ``request_id``.

        Kommo does not de-duplicate: a second call posts the notes twice. If Kommo refuses the note type, the notes are
        sent again as ``common`` (docs/facts/kommo-api.md 9). Raises ``ValueError`` for another number of notes.
        """
        _check_size(notes)
        best, plain = payloads.NOTE_TYPES
        try:
            return await self._post_notes(notes, best)
        except KommoRefused as refused:
            if not _may_be_the_type(refused):
                raise
        return await self._post_notes(notes, plain)

    async def _post_notes(self, notes: Sequence[NewNote], note_type: str) -> dict[str, int]:
        body = await self._wire.post(NOTES, [payloads.new_note(note, note_type) for note in notes])
        return note_ids(body, notes)

    async def notes_of(self, lead_ids: Sequence[int], *, since: float | None = None) -> list[KommoNote]:
        """All notes of these deals, of every type, ordered by id (docs/facts/kommo-api.md 9).

        ``since`` (Unix seconds) keeps only the notes that were updated at that time or later.
        """
        found: list[KommoNote] = []
        after: Query = [] if since is None else [("filter[updated_at][from]", int(since))]
        for chunk in _chunks(lead_ids):
            query = [*(("filter[entity_id][]", lead_id) for lead_id in chunk), *after, ("order[id]", "asc")]
            async for rows in self._wire.pages(NOTES, "notes", query):
                check_filter(rows, "entity_id", chunk)
                found += [read(parsing.note, one) for one in rows]
        return found

    async def rewrite_note(self, note: KommoNote, new_text: str) -> None:
        """Replace the text of a note. Kommo has no call that deletes a note (docs/facts/kommo-api.md 9)."""
        params = {**note.params, "text": new_text}
        await self._wire.patch(
            f"{LEADS}/{note.lead_id}/notes/{note.id}", {"note_type": note.note_type, "params": params}
        )

    async def pipelines(self) -> list[Pipeline]:
        """All pipelines, archived ones too, in Kommo's order (docs/facts/kommo-api.md 10).

        Each account has one, so no pipelines are ``KommoUnavailable``.
        """
        found = [read(parsing.pipeline, one) for one in rows_of(await self._wire.get(PIPELINES), "pipelines")]
        if not found:
            raise KommoUnavailable("the answer has no pipelines")
        return sorted(found, key=lambda one: (one.sort, one.id))

    async def contact(self, contact_id: int) -> Contact | None:
        """The contact with this id, or None if there is none."""
        return await self._one(CONTACTS, contact_id, parsing.contact)

    async def deals_of_contact(self, contact_id: int) -> list[int]:
        """The ids of a contact's deals, newest first (Kommo's ids grow); empty if there is no such contact."""
        try:
            body = await self._wire.get(f"{CONTACTS}/{contact_id}", [("with", "leads")])
        except KommoNotFound:
            return []
        return sorted((read(row_id, one) for one in rows_found(body, "leads")), reverse=True)

    async def merges(self, since: float = 0.0) -> list[Merge]:
        """The merges of deals among the newest 2,000 rows of the events feed, from ``since`` (Unix seconds) on.

        Needs an administrator's token, else ``KommoForbidden`` (docs/facts/kommo-automation.md 7).
        """
        newer: Query = [("filter[created_at][from]", int(since))] if since else []
        query = [("filter[type]", "entity_merged"), *newer]
        found: list[Merge] = []
        async for rows in self._wire.pages(EVENTS, "events", query, size=EVENTS_PAGE):
            found += [read(merge, one) for one in rows if one.get("type") == "entity_merged"]
            if len(found) >= MOST_EVENTS:
                break
        return [one for one in found if one.leads]

    async def stage_changes(self, lead_ids: Sequence[int]) -> list[StageChange]:
        """The stage entries of at most ten of these deals, from the newest 100 rows of the events feed.

        Deals after the tenth are not asked for. Needs an administrator's token, else ``KommoForbidden``
        (docs/facts/kommo-automation.md 7).
        """
        named = ",".join(map(str, lead_ids[:MOST_NAMED_IN_EVENTS]))
        query: Query = [("filter[type]", ",".join(ENTRIES)), ("filter[entity]", "lead"), ("filter[entity_id]", named)]
        body = await self._wire.get(EVENTS, [*query, ("page", 1), ("limit", EVENTS_PAGE)])
        rows = rows_found(body, "events")
        told = [read(stage_change, one) for one in rows if one.get("type") in ENTRIES]
        return [one for one in told if one.lead_id in lead_ids]

    async def custom_fields(self) -> list[CustomField]:
        """All custom fields of deals (docs/facts/kommo-api.md 8)."""
        return await self._all(FIELDS, "custom_fields", parsing.custom_field)

    async def create_fields(self, fields: Sequence[NewField]) -> list[int]:
        """Create deal fields and return their ids in the order of ``fields``.

        Needs an administrator's token, else ``KommoForbidden`` (docs/facts/kommo-api.md 8).
        """
        body = await self._wire.post(FIELDS, [payloads.new_field(field) for field in fields])
        ids = new_ids(body, "custom_fields")
        if len(ids) != len(fields):
            raise KommoUnavailable(f"the answer has {len(ids)} of {len(fields)} new fields", doubtful=True)
        return ids

    async def update_field(self, field: CustomField, *, add_options: Sequence[str]) -> None:
        """Add options to a list field. Needs an administrator's token.

        The request repeats the existing options by id, because Kommo may delete an option that is left out
        (docs/facts/kommo-api.md 8).
        """
        enums = payloads.options(field.options, tuple(add_options))
        await self._wire.patch(f"{FIELDS}/{field.id}", {"type": field.type, "enums": enums})

    async def groups(self) -> list[FieldGroup]:
        """All tabs (field groups) of the deal card (docs/facts/kommo-api.md 8)."""
        body = await self._wire.get(GROUPS)
        return [read(parsing.group, one) for one in rows_found(body, "custom_field_groups")]

    async def create_group(self, name: str) -> FieldGroup:
        """Create a tab of the deal card and return it.

        Needs an administrator's token, else ``KommoForbidden`` (docs/facts/kommo-api.md 8).
        """
        body = await self._wire.post(GROUPS, [{"name": name, "request_id": "0"}])
        return read(parsing.group, first(body, "custom_field_groups"), is_write=True)

    async def create_task(
        self, lead_id: int, text: str, due_at: float, responsible_user_id: int | None, request_id: str
    ) -> int:
        """Create a follow-up task on a deal and return its id (docs/facts/kommo-api.md 11). A second call creates a
        second task.

        ``due_at`` is in Unix seconds. Without ``responsible_user_id`` the task belongs to the token's user.
        """
        task: Json = {
            "text": text,
            "complete_till": int(due_at),
            "entity_id": lead_id,
            "entity_type": "leads",
            "task_type_id": 1,
            "request_id": request_id,
        }
        if responsible_user_id is not None:
            task["responsible_user_id"] = responsible_user_id
        return read(row_id, first(await self._wire.post(TASKS, [task]), "tasks"), is_write=True)

    async def continue_bot(self, path: str, body: Json) -> None:
        """Resume the bot that waits at ``path``; a bot can be resumed once (docs/facts/kommo-automation.md 2.4).

        Needs an administrator's token. Raises ``KommoNotFound`` if the bot no longer waits.
        """
        await self._wire.post_for_status(path, body)

    async def tasks_of(self, lead_ids: Sequence[int]) -> list[KommoTask]:
        """All tasks of these deals, open and completed."""
        found: list[KommoTask] = []
        for chunk in _chunks(lead_ids):
            query: Query = [("filter[entity_type]", "leads"), *(("filter[entity_id][]", one) for one in chunk)]
            async for rows in self._wire.pages(TASKS, "tasks", query):
                check_filter(rows, "entity_id", chunk)
                found += [read(parsing.task, one) for one in rows]
        return found

    async def close_task(self, task_id: int, result: str) -> None:
        """Complete a task with ``result`` as its result text (docs/facts/kommo-automation.md 6).

        An answer that does not name the task says nothing: the task is read then, and must be shown as completed.
        """
        body = await self._wire.patch(f"{TASKS}/{task_id}", {"is_completed": True, "result": {"text": result}})
        if body is not None and whole_or(body.get("id"), 0) == task_id:
            return
        task = await self._one(TASKS, task_id, parsing.task)
        if task is None or not task.is_completed:
            raise KommoUnavailable("the answer does not say that the task was completed", doubtful=True)

    async def _one(self, path: str, asked: int, reader: Callable[[Row], Value]) -> Value | None:
        """None for 204 and 404: both mean that there is none."""
        try:
            body = await self._wire.get(f"{path}/{asked}")
        except KommoNotFound:
            return None
        if body is None:
            return None
        check_id(body, asked)
        return read(reader, body)

    async def _all(self, path: str, plural: str, reader: Callable[[Row], Value]) -> list[Value]:
        return [read(reader, one) async for rows in self._wire.pages(path, plural) for one in rows]


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    different = list(dict.fromkeys(ids))
    return (different[start : start + PAGE] for start in range(0, len(different), PAGE))


def _with(contacts: bool) -> Query:
    return [("with", "contacts")] if contacts else []


def _check_size(items: Sequence[object]) -> None:
    if not 1 <= len(items) <= PAGE:
        raise ValueError(f"Kommo takes 1 to {PAGE} at once, not {len(items)}")


def _may_be_the_type(refused: KommoRefused) -> bool:
    """True if the note type may be the cause. A refusal that names no cause counts: no note was made either way."""
    return "226" not in refused.detail and (not refused.by_request or "note_type" in refused.paths)
