"""A payment request, its Checkout Sessions and the tasks that ask a person to handle it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class SessionState:
    """The state of a Checkout Session. ``asked``: (minor units, currency). ``split``:
    subtotal, discount, shipping, tax.

    ``status`` and ``payment_status`` have Stripe's values (docs/facts/stripe.md B2); times are epoch seconds.
    """

    id: str
    status: str
    payment_status: str
    asked: tuple[int, str] | None
    split: tuple[int, int, int, int] | None
    async_failed: float | None
    completed_at: float | None
    subscription: str | None = None

    @property
    def settled(self) -> bool:
        """True if the session is complete and its payment arrived or none was needed."""
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")

    @property
    def under_way(self) -> bool:
        """True if the session is complete and its delayed payment has neither arrived nor failed."""
        return self.status == "complete" and self.payment_status == "unpaid" and self.async_failed is None


@dataclass(frozen=True, slots=True)
class Chase:
    """A task that asks a person to handle an unpaid request. ``step``: the chasing step. ``at``: epoch seconds.

    ``user_id``: Kommo user; 0 for the deal's responsible user.
    """

    step: str
    reason: str
    user_id: int
    at: float


@dataclass(frozen=True, slots=True)
class Request:
    """A payment request with its Checkout Sessions. ``amount`` and ``deal_total``: minor
    units. Times are epoch seconds."""

    id: str
    amount: int
    currency: str
    description: str
    mode: str
    kind: str
    deal_total: int | None
    created_at: float
    created_by: int
    expires_at: float | None
    cancelled: bool
    replaced_by: str | None
    opened: bool
    link_token: str
    stage_seen: int | None
    sessions: tuple[SessionState, ...]
    rhythm: tuple[str, int] | None = None
    """A subscription's interval (day, week, month or year) and the number of intervals in
    a period; None without one."""
    contact_id: int | None = None
    """The Kommo contact that is to pay; None if Kommo named none."""
    due_on: date | None = None
    """The last day on which it is paid in time, in the account's time zone."""
    overdue_at: float | None = None
    """The end of that day, in epoch seconds."""
    chases: tuple[Chase, ...] = ()
    last_day: date | None = None
    """The last day on which its link can be paid, in that time zone."""
    ended: bool = False
    """Its time is over, and Stripe closed its last session unpaid."""

    def is_past_end(self, now: float) -> bool:
        """True if its link can't be paid any more at ``now`` (epoch seconds): no page may lead a payer to it."""
        return self.ended or (self.expires_at is not None and self.expires_at <= now)
