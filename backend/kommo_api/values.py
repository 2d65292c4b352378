"""Values read from Kommo and written to it. Times are Unix seconds; ids are Kommo's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

WON, LOST = 142, 143
"""Ids of the stages *won* and *lost*, the same in every pipeline (docs/facts/kommo-api.md 7.2)."""
INCOMING = 1
"""The ``type`` of the stage *Incoming leads*."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """A Kommo account. ``timezone`` is an IANA name; ``current_user_id`` is the user of the token; ``language`` may be
    empty."""

    id: int
    name: str
    subdomain: str
    currency: str
    timezone: str
    current_user_id: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """A user. Rights are letters: A all, G the user's group, M the user's own, D none (docs/facts/kommo-api.md 11.1).

    ``stage_view``: (pipeline, status) → A or D; it replaces the general letter for deals of that stage. Group 0 is
    Kommo's default group.
    """

    id: int
    name: str
    email: str
    lang: str
    is_admin: bool
    is_active: bool
    group_id: int
    leads_view: str
    leads_edit: str
    stage_view: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value of a custom field. Kommo sends numbers as text; ``enum_id`` is set for options of a list."""

    value: Any
    enum_id: int | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """A deal. ``price`` is in whole units of the account's currency; ``updated_by`` 0 is a robot.

    ``fields``: field id → its values, without empty fields. ``main_contact_id`` and ``contact_ids`` are filled only if
    the request asked for contacts.
    """

    id: int
    name: str
    price: int | Decimal
    pipeline_id: int
    status_id: int
    responsible_user_id: int
    group_id: int
    updated_at: int
    updated_by: int
    main_contact_id: int | None = None
    contact_ids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    fields: Mapping[int, tuple[FieldValue, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact with its first e-mail address and phone number: Kommo marks none as the main one."""

    id: int
    name: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class KommoNote:
    """A note of a deal. ``params`` is its whole content; ``text`` is the part of it that we read."""

    id: int
    lead_id: int
    text: str
    created_at: int
    note_type: str = "common"
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KommoTask:
    """A task of a deal."""

    id: int
    lead_id: int
    text: str
    is_completed: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge of deals at the time ``at``. ``leads``: all ids in the event that may be deals.

    The event does not say which deal survived; the caller must fetch them.
    """

    at: float
    leads: frozenset[int]


@dataclass(frozen=True, slots=True)
class StageChange:
    """A deal entered ``stage``, a (pipeline, status), at the time ``at``; ``by`` is the user, 0 a robot.

    ``stage`` is None if the deal was created: the event does not name its stage.
    """

    lead_id: int
    at: float
    stage: tuple[int, int] | None
    by: int


@dataclass(frozen=True, slots=True)
class Status:
    """A stage of a pipeline; ``type`` 1 is *Incoming leads*."""

    id: int
    name: str
    sort: int
    type: int
    pipeline_id: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its stages in Kommo's order, won and lost last."""

    id: int
    name: str
    sort: int
    is_main: bool
    is_archive: bool
    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class FieldOption:
    """An option of a list field."""

    id: int
    value: str
    sort: int


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of deals; ``options`` is empty unless it is a list."""

    id: int
    name: str
    type: str
    code: str | None
    group_id: str | None
    is_api_only: bool
    options: tuple[FieldOption, ...]


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """A tab of the deal card."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class NewField:
    """A custom field to create; ``options`` are labels, ``group_id`` is the tab."""

    name: str
    type: str
    code: str | None = None
    options: tuple[str, ...] = ()
    group_id: str | None = None
    is_api_only: bool = False


@dataclass(frozen=True, slots=True)
class EnumId:
    """An option of a list field, as a value to write."""

    id: int


@dataclass(frozen=True, slots=True)
class LeadChange:
    """A change of one deal.

    ``fields``: field id → a JSON value, ``EnumId``, or None to clear. Status and pipeline are both set or both None,
    else ``ValueError``. Tags are added and removed by name; all others stay.
    """

    lead_id: int
    fields: Mapping[int, Any]
    pipeline_id: int | None
    status_id: int | None
    request_id: str
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.pipeline_id is None) != (self.status_id is None):
            raise ValueError("won and lost are the same ids in every pipeline: a status needs its pipeline")


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note to post; ``service`` is the sender's name in the feed."""

    lead_id: int
    text: str
    request_id: str
    service: str


@dataclass(frozen=True, slots=True)
class NewLead:
    """A deal to create; the contact becomes the main one. ``price`` in whole units; ``fields`` as in ``LeadChange``."""

    name: str
    pipeline_id: int
    status_id: int
    price: int | None = None
    responsible_user_id: int | None = None
    contact_id: int | None = None
    fields: Mapping[int, Any] = field(default_factory=dict)
    request_id: str = "0"
