"""What people do to an account by hand, in Kommo's own pages, while the product is at work."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sandbox.kommo.accounts.account import Account, NotThere
from sandbox.kommo.accounts.edits import LeadEdit, apply
from sandbox.kommo.accounts.merges import merge_told
from sandbox.kommo.accounts.values import kept
from sandbox.kommo.records import Field, Lead, Note, Tag, Task


class NotByHand(ValueError):
    """A field made with ``is_api_only`` is shown in the card but can't be edited there."""


@dataclass(frozen=True)
class Person:
    """A user at the screen. Fields are named by id, code or name."""

    account: Account
    user_id: int

    def move_lead(self, lead_id: int, status_id: int, pipeline_id: int | None = None) -> Lead:
        lead = self._lead(lead_id)
        return self._edit(lead, LeadEdit(place=(pipeline_id or lead.pipeline_id, status_id)))

    def edit_lead(
        self,
        lead_id: int,
        *,
        name: str | None = None,
        price: float | None = None,
        responsible_user_id: int | None = None,
    ) -> Lead:
        edit = LeadEdit(name=name, price=price, responsible_user_id=responsible_user_id)
        return self._edit(self._lead(lead_id), edit)

    def set_field(self, lead_id: int, field: str | int, value: Any) -> Lead:
        """``None`` empties the field."""
        target = self._field(field)
        if target.is_api_only:
            raise NotByHand(target.name)
        given = None if value is None else [{"value": value}]
        edit = LeadEdit(values={target.id: kept(self.account, target, given, "")})
        return self._edit(self._lead(lead_id), edit)

    def tag_lead(self, lead_id: int, name: str) -> Lead:
        lead = self._lead(lead_id)
        tag = Tag(self.account.setting.ids.next("tag"), name)
        return self._edit(lead, LeadEdit(tags=[*lead.tags, tag]))

    def add_note(self, lead_id: int, text: str) -> Note:
        now, note_id = self.account.now, self.account.setting.ids.next("note")
        note = Note(note_id, lead_id, "common", {"text": text}, self.user_id, now, now, self.user_id)
        self.account.notes[note_id] = note
        self.account.record("common_note_added", lead_id, self.user_id, after=[{"note": {"id": note_id}}])
        return note

    def delete_lead(self, lead_id: int) -> Lead:
        lead = self._lead(lead_id)
        lead.is_deleted, lead.updated_at = True, self.account.now
        self.account.record("lead_deleted", lead_id, self.user_id)
        return lead

    def restore_lead(self, lead_id: int) -> Lead:
        lead = self.account.leads[lead_id]
        lead.is_deleted, lead.updated_at = False, self.account.now
        self.account.record("lead_restored", lead_id, self.user_id)
        return lead

    def merge_leads(self, kept_id: int, gone_id: int) -> Lead:
        """Notes, tasks and contacts go over; a field keeps the value of the one that stays, if it has one."""
        stays, goes = self._lead(kept_id), self._lead(gone_id)
        goes.is_deleted, goes.merged_into, goes.updated_at = True, kept_id, self.account.now
        for note in self.account.notes_of(gone_id):
            note.entity_id = kept_id
        for task in self.account.tasks_of(gone_id):
            task.entity_id = kept_id
        stays.values = {**goes.values, **stays.values}
        stays.contacts = {**dict.fromkeys(goes.contacts, False), **stays.contacts}
        stays.updated_at, stays.updated_by = self.account.now, self.user_id
        self._tell_merge(kept_id, gone_id)
        return stays

    def copy_lead(self, lead_id: int) -> Lead:
        source = self._lead(lead_id)
        copy = self.account.add_lead(
            f"{source.name} (copy)",
            source.price,
            pipeline_id=source.pipeline_id,
            status_id=source.status_id,
            by=self.user_id,
        )
        copy.contacts, copy.values = dict(source.contacts), deepcopy(source.values)
        if self.account.switches.reads("copy_keeps_api_only", "drops"):
            fields = self.account.custom_fields
            copy.values = {key: value for key, value in copy.values.items() if not fields[key].is_api_only}
        return copy

    def delete_field(self, field: str | int) -> None:
        self.account.delete_field(self._field(field).id)

    def rename_field(self, field: str | int, name: str) -> Field:
        target = self._field(field)
        target.name = name
        return target

    def rename_option(self, field: str | int, option: str, name: str) -> Field:
        target = self._field(field)
        next(one for one in target.enums if one.value == option).value = name
        return target

    def delete_option(self, field: str | int, option: str) -> Field:
        target = self._field(field)
        target.enums = [one for one in target.enums if one.value != option]
        return target

    def rename_status(self, pipeline_id: int, status_id: int, name: str) -> None:
        status = self.account.status(pipeline_id, status_id)
        if status is None:
            raise NotThere(status_id)
        status.name = name

    def archive_pipeline(self, pipeline_id: int) -> None:
        self.account.pipelines[pipeline_id].is_archive = True

    def complete_task(self, task_id: int, result: str = "") -> Task:
        task = self.account.tasks[task_id]
        task.is_completed, task.result, task.updated_at = True, {"text": result}, self.account.now
        return task

    def deactivate_user(self, user_id: int) -> None:
        """Their tokens answer 401 from now on, and naming them in a write is refused."""
        self.account.users[user_id].is_active = False

    def activate_user(self, user_id: int) -> None:
        self.account.users[user_id].is_active = True

    def _edit(self, lead: Lead, edit: LeadEdit) -> Lead:
        apply(self.account, lead, edit, by=self.user_id, via="person")
        return lead

    def _lead(self, lead_id: int) -> Lead:
        lead = self.account.lead(lead_id)
        if lead is None:
            raise NotThere(lead_id)
        return lead

    def _field(self, name: str | int) -> Field:
        field = self.account.field(name)
        if field is None:
            raise NotThere(name)
        return field

    def _tell_merge(self, kept_id: int, gone_id: int) -> None:
        events = self.account.switches["merge_events"]
        if events == "deleted":
            self.account.record("lead_deleted", gone_id, self.user_id)
        elif events == "entity_merged":
            told = merge_told(self.account.switches["merge_shape"], kept_id, gone_id)
            self.account.record("entity_merged", by=self.user_id, **told)
