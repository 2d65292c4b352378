"""What Kommo holds and what we write to it, as values. Times are Unix seconds, ids are Kommo's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

WON, LOST = 142, 143
"""The same two statuses in every pipeline."""
INCOMING = 1
"""The ``type`` of the stage *Incoming leads*."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """``timezone`` is an IANA name. ``current_user_id`` is the user of the token."""

    id: int
    name: str
    subdomain: str
    currency: str
    timezone: str
    current_user_id: int


@dataclass(frozen=True, slots=True)
class User:
    """Rights are letters: A all, G the user's group, M the user's own, D none.

    ``stage_view``: (pipeline, status) → A or D, in place of the general letter for deals of that stage. Group 0 is
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
    """Numbers come as text. ``enum_id`` is set for options of a list."""

    value: Any
    enum_id: int | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """``price`` is in whole units of the account's currency; ``updated_by`` 0 is a robot.

    ``fields``: field id → its values; an empty field is not there. ``main_contact_id`` and ``contact_ids`` only where
    contacts were asked for.
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
    """The first e-mail and phone number: Kommo marks none as the main one."""

    id: int
    name: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class KommoNote:
    """``params`` is the whole content, of which ``text`` is what we read."""

    id: int
    lead_id: int
    text: str
    created_at: int
    note_type: str = "common"
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KommoTask:
    id: int
    lead_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Merge:
    """``leads``: all that the event names and that may be a deal. Which of them stayed, only a look at them tells."""

    at: float
    leads: frozenset[int]


@dataclass(frozen=True, slots=True)
class StageChange:
    """A deal entered ``stage``, its (pipeline, status); None: it was made, wherever that was. ``by`` 0 is a robot."""

    lead_id: int
    at: float
    stage: tuple[int, int] | None
    by: int


@dataclass(frozen=True, slots=True)
class Status:
    id: int
    name: str
    sort: int
    type: int
    pipeline_id: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``statuses`` in Kommo's order, won and lost last."""

    id: int
    name: str
    sort: int
    is_main: bool
    is_archive: bool
    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class FieldOption:
    id: int
    value: str
    sort: int


@dataclass(frozen=True, slots=True)
class CustomField:
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
    name: str
    type: str
    code: str | None = None
    options: tuple[str, ...] = ()
    group_id: str | None = None
    is_api_only: bool = False


@dataclass(frozen=True, slots=True)
class EnumId:
    """An option of a list, as a value to write."""

    id: int


@dataclass(frozen=True, slots=True)
class LeadChange:
    """``fields``: field id → a JSON value, ``EnumId``, or ``None`` to clear. A status goes with its pipeline only. Tags
    are added and taken away by name; all others stay."""

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
    """``service`` is the name that the feed shows as the sender."""

    lead_id: int
    text: str
    request_id: str
    service: str


@dataclass(frozen=True, slots=True)
class NewLead:
    """``fields`` as in ``LeadChange``; a contact is linked as the main one."""

    name: str
    pipeline_id: int
    status_id: int
    price: int | None = None
    responsible_user_id: int | None = None
    contact_id: int | None = None
    fields: Mapping[int, Any] = field(default_factory=dict)
    request_id: str = "0"
