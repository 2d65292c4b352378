"""What Kommo answers instead of what was asked for. The docstring of each error is the sentence a person reads.

Sources of statuses and bodies: docs/facts/kommo-api.md 2, 5, 6.
"""

from collections.abc import Mapping
from dataclasses import dataclass


class KommoError(Exception):
    """Kommo did not do what it was asked for.

    ``doubtful``: it was a write, and it may have happened all the same. ``retry_after``: seconds, where Kommo names
    them. ``request_id``: Kommo's own, for its support.
    """

    request_id: str = ""

    def __init__(self, detail: str = "", *, doubtful: bool = False, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.doubtful = doubtful
        self.retry_after = retry_after

    def __str__(self) -> str:
        sentence = (type(self).__doc__ or "").strip().partition("\n")[0]
        return f"{sentence} ({self.detail})" if self.detail else sentence


class KommoUnauthorized(KommoError):
    """Kommo does not accept the access token: it has expired or was revoked."""


class KommoUnpaid(KommoError):
    """The Kommo account is not paid for, so Kommo lets nobody write to it."""


class KommoForbidden(KommoError):
    """The Kommo user who connected us has no right to do this."""


class KommoBlocked(KommoError):
    """Kommo has blocked this account or our address; only Kommo's support can lift that."""


class KommoRateLimited(KommoError):
    """Kommo asks us to slow down."""


class KommoNotFound(KommoError):
    """Kommo knows nothing at this address."""


class KommoMoved(KommoError):
    """Kommo says that this account has another address now; nothing was done."""


class KommoUnavailable(KommoError):
    """Kommo has trouble of its own at the moment."""


class KommoConnectionError(KommoError):
    """Kommo did not answer."""


class KommoTooSlow(KommoConnectionError):
    """Kommo did not get it done in time; less at once may go through."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """``path`` is a dot path inside the item that was sent, like ``custom_fields_values.0.field_id``."""

    code: str
    path: str
    detail: str


class KommoRefused(KommoError):
    """Kommo refused what we sent.

    ``detail`` is Kommo's own sentence. ``by_request``: the errors by the ``request_id`` we sent (its position as text
    where we sent none). ``by_lead``: a sentence for each lead id.
    """

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
        """Nobody knows which item was refused: only smaller batches can tell."""
        return not self.by_request and not self.by_lead

    def names(self, key: str) -> bool:
        """``key``: the ``request_id`` of an item, or its lead id as text."""
        return key in self.by_request or (key.isdigit() and int(key) in self.by_lead)

    def of(self, key: str) -> "KommoRefused":
        """What was refused of this one item."""
        by_lead = {lead: said for lead, said in self.by_lead.items() if str(lead) == key}
        by_request = {key: self.by_request[key]} if key in self.by_request else {}
        return KommoRefused(self.detail, by_request=by_request, by_lead=by_lead)

    def beside(self, earlier: "KommoRefused | None") -> "KommoRefused":
        """What was refused now and before of the same items."""
        before = earlier.by_request if earlier else {}
        keys = before.keys() | self.by_request.keys()
        by_request = {key: [*before.get(key, ()), *self.by_request.get(key, ())] for key in keys}
        return KommoRefused(self.detail, by_request=by_request, by_lead=self.by_lead)

    @property
    def paths(self) -> set[str]:
        return {error.path for errors in self.by_request.values() for error in errors}
