"""Errors of Kommo's API. ``says`` is the key of the sentence that people read.

Sources of statuses and bodies: docs/facts/kommo-api.md 2, 5, 6.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from backend.core.sentences.said import said


class KommoError(Exception):
    """Kommo did not do what it was asked for.

    ``doubtful``: the request was a write and may have taken effect. ``retry_after``: seconds, if Kommo names them.
    ``request_id``: Kommo's id of the request, for its support.
    """

    says: ClassVar[str] = "kommo_error"
    request_id: str = ""

    def __init__(self, detail: str = "", *, doubtful: bool = False, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.doubtful = doubtful
        self.retry_after = retry_after

    def __str__(self) -> str:
        sentence = said(self.says)
        return str(said("kommo_error_detail", sentence=sentence, detail=self.detail) if self.detail else sentence)


class KommoUnauthorized(KommoError):
    """Kommo does not accept the access token: it has expired or was revoked."""

    says = "kommo_unauthorized"


class KommoUnpaid(KommoError):
    """The Kommo account is not paid for, so Kommo refuses all writes."""

    says = "kommo_unpaid"


class KommoForbidden(KommoError):
    """The Kommo user who connected us does not have the right to do this."""

    says = "kommo_forbidden"


class KommoBlocked(KommoError):
    """Kommo has blocked this account or our address; only Kommo's support can lift that."""

    says = "kommo_blocked"


class KommoRateLimited(KommoError):
    """Kommo asks us to slow down."""

    says = "kommo_rate_limited"


class KommoNotFound(KommoError):
    """Kommo has nothing at this address."""

    says = "kommo_not_found"


class KommoMoved(KommoError):
    """Kommo reports that this account has another address now; nothing was done."""

    says = "kommo_moved"


class KommoUnavailable(KommoError):
    """Kommo has a technical problem at the moment."""

    says = "kommo_unavailable"


class KommoConnectionError(KommoError):
    """Kommo did not answer."""

    says = "kommo_silent"


class KommoTooSlow(KommoConnectionError):
    """Kommo did not finish in time; a smaller request may succeed."""

    says = "kommo_too_slow"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error of a refused item. ``path`` is a dot path in that item, like ``custom_fields_values.0.field_id``."""

    code: str
    path: str
    detail: str


class KommoRefused(KommoError):
    """Kommo refused what we sent.

    ``detail`` is Kommo's own sentence. ``by_request``: errors by the ``request_id`` we sent, or by position as text if
    we sent none. ``by_lead``: lead id → sentence. Both are empty if Kommo names no item.
    """

    says = "kommo_refused"

    def __init__(self, detail: str, *, by_request: Mapping[str, list[FieldError]], by_lead: Mapping[int, str]) -> None:
        super().__init__(detail)
        self.by_request = dict(by_request)
        self.by_lead = dict(by_lead)

    def __str__(self) -> str:
        named = [f"{one.path}: {one.detail}" for errors in self.by_request.values() for one in errors]
        named += [f"deal {lead_id}: {detail}" for lead_id, detail in self.by_lead.items()]
        return "; ".join([super().__str__(), *named[:5]])

    @property
    def names_nothing(self) -> bool:
        """True if Kommo did not say which item it refused: only smaller batches can show it."""
        return not self.by_request and not self.by_lead

    def names(self, key: str) -> bool:
        """True if the item was refused. ``key`` is its ``request_id``, or its lead id as text."""
        return key in self.by_request or (key.isdigit() and int(key) in self.by_lead)

    def of(self, key: str) -> "KommoRefused":
        """The part of this error about one item; ``key`` as in ``names``."""
        by_lead = {lead: said for lead, said in self.by_lead.items() if str(lead) == key}
        by_request = {key: self.by_request[key]} if key in self.by_request else {}
        return KommoRefused(self.detail, by_request=by_request, by_lead=by_lead)

    def beside(self, earlier: "KommoRefused | None") -> "KommoRefused":
        """This error with the field errors of ``earlier`` added, item by item."""
        before = earlier.by_request if earlier else {}
        keys = before.keys() | self.by_request.keys()
        by_request = {key: [*before.get(key, ()), *self.by_request.get(key, ())] for key in keys}
        return KommoRefused(self.detail, by_request=by_request, by_lead=self.by_lead)

    @property
    def paths(self) -> set[str]:
        """The dot paths of all field errors."""
        return {error.path for errors in self.by_request.values() for error in errors}
