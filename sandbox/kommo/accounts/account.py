"""One Kommo account: what it holds, how it is found, and its history."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.core.clock import Clock
from sandbox.kommo.chat_records import Chats
from sandbox.kommo.ids import Ids
from sandbox.kommo.records import (
    BotRun,
    BotStart,
    Change,
    Contact,
    Field,
    FieldGroup,
    Json,
    Lead,
    Note,
    Option,
    Pipeline,
    Rights,
    StageMove,
    Status,
    Tag,
    Task,
    Trigger,
    User,
    Webhook,
)
from sandbox.kommo.switches import Switches


class NotThere(LookupError):
    """There is no such thing here."""


class Setting(Protocol):
    """What all accounts of a world share."""

    clock: Clock
    ids: Ids
    switches: Switches


@dataclass
class Account:
    id: int
    subdomain: str
    setting: Setting = field(repr=False)
    name: str = ""
    currency: str = "USD"
    timezone: str = "America/New_York"
    country: str = "US"
    language: str = "en"
    amojo_id: str = ""
    is_paid: bool = True
    lead_cap: int | None = None
    users: dict[int, User] = field(default_factory=dict)
    pipelines: dict[int, Pipeline] = field(default_factory=dict)
    leads: dict[int, Lead] = field(default_factory=dict)
    contacts: dict[int, Contact] = field(default_factory=dict)
    companies: dict[int, str] = field(default_factory=dict)
    custom_fields: dict[int, Field] = field(default_factory=dict)
    groups: dict[str, FieldGroup] = field(default_factory=dict)
    notes: dict[int, Note] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    invoices: dict[int, Json] = field(default_factory=dict)
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    triggers: list[Trigger] = field(default_factory=list)
    bots: dict[int, BotRun] = field(default_factory=dict)
    loose_tags: list[Tag] = field(default_factory=list)
    """Of no deal."""
    moves: list[StageMove] = field(default_factory=list)
    bot_starts: list[BotStart] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    chats: Chats = field(default_factory=Chats, repr=False)

    @property
    def now(self) -> int:
        return int(self.setting.clock())

    @property
    def switches(self) -> Switches:
        return self.setting.switches

    @property
    def bots_started(self) -> int:
        return len(self.bot_starts)

    @property
    def admin(self) -> User:
        return next(user for user in self.users.values() if user.is_admin and user.is_active)

    @property
    def main_pipeline(self) -> Pipeline:
        return next(pipeline for pipeline in self.pipelines.values() if pipeline.is_main)

    def lead(self, lead_id: int) -> Lead | None:
        """A lead that can be seen: deleted and merged ones are gone."""
        found = self.leads.get(lead_id)
        return found if found and not found.is_deleted else None

    def status(self, pipeline_id: int, status_id: int) -> Status | None:
        pipeline = self.pipelines.get(pipeline_id)
        return pipeline.status(status_id) if pipeline else None

    def is_incoming(self, lead: Lead) -> bool:
        status = self.status(lead.pipeline_id, lead.status_id)
        return status is not None and status.type == 1

    def field(self, name: str | int, entity: str = "leads") -> Field | None:
        """A custom field by its id, code or name."""
        fields = [one for one in self.custom_fields.values() if one.entity == entity]
        return next((one for one in fields if name in (one.id, one.code, one.name)), None)

    def notes_of(self, lead_id: int) -> list[Note]:
        return [note for note in self.notes.values() if note.entity_id == lead_id and note.entity_type == "leads"]

    def tasks_of(self, lead_id: int) -> list[Task]:
        return [task for task in self.tasks.values() if task.entity_id == lead_id and task.entity_type == "leads"]

    def record(
        self,
        kind: str,
        entity_id: int,
        by: int,
        *,
        entity: str = "lead",
        before: Iterable[Json] = (),
        after: Iterable[Json] = (),
    ) -> None:
        change_id = self.setting.ids.text(26)
        self.changes.append(Change(change_id, kind, entity, entity_id, by, self.now, list(before), list(after)))

    def add_user(self, name: str, email: str, **facts: Any) -> User:
        user = User(self.setting.ids.next("user"), name, email, **facts)
        self.users[user.id] = user
        return user

    def add_salesperson(self, name: str, email: str, **facts: Any) -> User:
        """A user who sees and edits only the leads they are responsible for."""
        return self.add_user(name, email, leads=Rights(view="M", edit="M", delete="D"), **facts)

    def add_contact(self, name: str, *, email: str | None = None, phone: str | None = None) -> Contact:
        first, _, last = name.partition(" ")
        contact = Contact(
            self.setting.ids.next("contact"), name, self.admin.id, self.now, self.now, first_name=first, last_name=last
        )
        for code, value in (("EMAIL", email), ("PHONE", phone)):
            target = self.field(code, "contacts")
            if value and target:
                contact.values[target.id] = [{"value": value, "enum_id": target.enums[0].id}]
        self.contacts[contact.id] = contact
        return contact

    def add_lead(
        self,
        name: str,
        price: float = 0,
        *,
        pipeline_id: int | None = None,
        status_id: int | None = None,
        responsible_user_id: int | None = None,
        contacts: Iterable[Contact] = (),
        by: int | None = None,
    ) -> Lead:
        """By default the admin's, in the first open stage of the main pipeline; the first contact is main."""
        pipeline = self.pipelines[pipeline_id] if pipeline_id else self.main_pipeline
        author = self.admin.id if by is None else by
        lead = Lead(
            id=self.setting.ids.next("lead"),
            name=name,
            price=price,
            pipeline_id=pipeline.id,
            status_id=status_id or pipeline.first_open.id,
            responsible_user_id=responsible_user_id or self.admin.id,
            created_by=author,
            updated_by=author,
            created_at=self.now,
            updated_at=self.now,
            contacts={contact.id: place == 0 for place, contact in enumerate(contacts)},
        )
        self.leads[lead.id] = lead
        self.record("lead_added", lead.id, author)
        return lead

    def add_field(self, name: str, kind: str, *, options: Iterable[str] = (), **facts: Any) -> Field:
        made = Field(self.setting.ids.next("field"), name, kind, **facts)
        made.enums = [Option(self.setting.ids.next("option"), text, place) for place, text in enumerate(options, 1)]
        self.custom_fields[made.id] = made
        return made

    def delete_field(self, field_id: int) -> None:
        """The field goes, and with it what every deal held there."""
        gone = self.custom_fields.pop(field_id)
        for lead in self.leads.values():
            lead.values.pop(gone.id, None)
        for contact in self.contacts.values():
            contact.values.pop(gone.id, None)
