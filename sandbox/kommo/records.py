"""What an account holds, as plain data. Times are whole Unix seconds; an id names its kind, never a position."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

WON, LOST = 142, 143
ROBOT = 0


@dataclass
class Rights:
    """One letter an action: A all, G own group, M own, D none."""

    view: str = "A"
    edit: str = "A"
    add: str = "A"
    delete: str = "A"
    export: str = "A"


@dataclass
class StageRights:
    """What a role may do with the deals of one stage; A or D an action."""

    pipeline_id: int
    status_id: int
    view: str = "A"
    edit: str = "A"
    delete: str = "A"
    export: str = "A"


@dataclass
class User:
    id: int
    name: str
    email: str
    lang: str = "en"
    is_admin: bool = False
    is_active: bool = True
    group_id: int = 0
    leads: Rights = field(default_factory=Rights)
    status_rights: list[StageRights] = field(default_factory=list)


@dataclass
class Status:
    """``type`` 1 is *Incoming leads*; 142 and 143 are won and lost in every pipeline."""

    id: int
    name: str
    sort: int
    type: int = 0
    color: str = "#99ccff"

    @property
    def is_editable(self) -> bool:
        return self.type == 0 and self.id not in (WON, LOST)


@dataclass
class Pipeline:
    id: int
    name: str
    sort: int
    statuses: list[Status]
    is_main: bool = False
    is_archive: bool = False

    def status(self, status_id: int) -> Status | None:
        return next((status for status in self.statuses if status.id == status_id), None)

    @property
    def first_open(self) -> Status:
        """Where an accepted incoming lead goes."""
        return min((one for one in self.statuses if one.type == 0), key=lambda one: one.sort)


@dataclass
class Option:
    id: int
    value: str
    sort: int
    code: str | None = None


@dataclass
class Field:
    id: int
    name: str
    type: str
    entity: str = "leads"
    code: str | None = None
    sort: int = 500
    group_id: str | None = None
    is_api_only: bool = False
    is_predefined: bool = False
    currency: str | None = None
    remind: str | None = None
    required_statuses: list[Json] = field(default_factory=list)
    enums: list[Option] = field(default_factory=list)


@dataclass
class FieldGroup:
    id: str
    name: str
    sort: int
    is_predefined: bool = False


@dataclass
class Tag:
    id: int
    name: str


@dataclass
class Lead:
    """``values`` maps a field's id to its list of ``{"value"}`` or ``{"enum_id"}``; ``contacts`` to *is main*."""

    id: int
    name: str
    price: float
    pipeline_id: int
    status_id: int
    responsible_user_id: int
    created_by: int
    updated_by: int
    created_at: int
    updated_at: int
    group_id: int = 0
    loss_reason_id: int | None = None
    closed_at: int | None = None
    is_deleted: bool = False
    merged_into: int | None = None
    values: dict[int, list[Json]] = field(default_factory=dict)
    tags: list[Tag] = field(default_factory=list)
    contacts: dict[int, bool] = field(default_factory=dict)
    company_id: int | None = None
    links: list[Json] = field(default_factory=list)


@dataclass
class Contact:
    id: int
    name: str
    responsible_user_id: int
    created_at: int
    updated_at: int
    first_name: str = ""
    last_name: str = ""
    values: dict[int, list[Json]] = field(default_factory=dict)


@dataclass
class Note:
    id: int
    entity_id: int
    note_type: str
    params: Json
    created_by: int
    created_at: int
    updated_at: int
    responsible_user_id: int
    is_pinned: bool = False
    entity_type: str = "leads"

    @property
    def text(self) -> str:
        return str(self.params.get("text", ""))


@dataclass
class Task:
    id: int
    text: str
    complete_till: int
    entity_id: int | None
    entity_type: str | None
    responsible_user_id: int
    created_by: int
    created_at: int
    updated_at: int
    task_type_id: int = 1
    duration: int = 0
    is_completed: bool = False
    result: Json = field(default_factory=dict)


@dataclass(frozen=True)
class StageMove:
    """``via``: api, person, accepted (an incoming lead taken by a write)."""

    lead_id: int
    at: int
    by: int
    via: str
    before: tuple[int, int]
    after: tuple[int, int]


@dataclass(frozen=True)
class BotStart:
    """``cause``: stage, note."""

    lead_id: int
    at: int
    cause: str


@dataclass(frozen=True)
class Change:
    """One line of the account's history, what ``/events`` shows and account webhooks are made of."""

    id: str
    type: str
    entity: str
    entity_id: int
    by: int
    at: int
    before: list[Json]
    after: list[Json]

    @property
    def created_by(self) -> int:
        return self.by

    @property
    def created_at(self) -> int:
        return self.at


@dataclass
class Webhook:
    """An address that is told of changes from number ``since`` on; ``bad`` holds the times of refused deliveries."""

    id: int
    destination: str
    settings: list[str]
    created_by: int
    created_at: int
    updated_at: int
    since: int
    sort: int = 0
    disabled: bool = False
    bad: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Trigger:
    """A widget's block in the Digital Pipeline: deals that come to this stage are told to ``url``."""

    pipeline_id: int
    status_id: int
    url: str
    settings: Json
    stretched: tuple[int, ...] = ()
    """Further stages of the same pipeline over which the action is stretched."""
    code: str = ""
    """Of the widget whose action it is."""

    @property
    def stages(self) -> set[tuple[int, int]]:
        return {(self.pipeline_id, status) for status in (self.status_id, *self.stretched)}


@dataclass
class BotRun:
    """A Salesbot that waits at a widget's step until it is continued."""

    bot_id: int
    continue_id: int
    lead_id: int
    since: float = 0.0
    answer: Json | None = None
    is_stopped: bool = False
