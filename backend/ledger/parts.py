"""The parts of a deal's ledger, each a value with the states that it alone decides."""

from dataclasses import dataclass
from datetime import date

from backend.stripe_api.dashboard import page_of

REFUND_COUNTS = frozenset(("pending", "requires_action", "succeeded"))
DISPUTE_OPEN = frozenset(("needs_response", "under_review"))
INQUIRY_OPEN = frozenset(("warning_needs_response", "warning_under_review"))


@dataclass(frozen=True, slots=True)
class Worth:
    """What a part is worth in its payment's currency. Not ``known``: the whole payment is taken."""

    amount: int
    currency: str
    known: bool


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    amount: int
    currency: str
    status: str
    at: float
    worth: Worth | None = None
    """In its payment's currency, where its own is another."""
    undone_at: float | None = None
    """When it failed or was cancelled."""

    @property
    def own_worth(self) -> int:
        return self.worth.amount if self.worth else self.amount

    @property
    def counts(self) -> bool:
        return self.status in REFUND_COUNTS

    @property
    def outcome(self) -> str | None:
        """``succeeded`` or ``failed``, a cancelled one included; None while nobody knows."""
        return {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}.get(self.status)


@dataclass(frozen=True, slots=True)
class Dispute:
    id: str
    amount: int
    currency: str
    status: str
    reason: str
    at: float
    due_by: float | None
    appeal: str | None
    worth: Worth | None = None
    """In its payment's currency, where its own is another."""
    was_inquiry: bool = False
    method: str = ""
    decided: int = 1
    """How often it was decided as it is now, with another decision between."""

    @property
    def is_inquiry(self) -> bool:
        """The bank asked, and no money has moved; also when it asks no more."""
        return self.status.startswith("warning")

    @property
    def answerable(self) -> bool:
        """Klarna's inquiries can't be answered, only refunded."""
        return self.method != "klarna"

    @property
    def state(self) -> str | None:
        """``open``, ``won`` or ``lost``; ``inquiry`` while the bank only asks; None for an inquiry that was closed."""
        if self.status in DISPUTE_OPEN:
            return "open"
        if self.status in INQUIRY_OPEN:
            return "inquiry"
        return self.status if self.status in ("won", "lost") else None


def _worth(part: Refund | Dispute) -> int:
    return part.worth.amount if part.worth else part.amount


@dataclass(frozen=True, slots=True)
class SessionState:
    """A Checkout Session as far as states need it. ``split``: subtotal, discount, shipping, tax."""

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
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")

    @property
    def under_way(self) -> bool:
        return self.status == "complete" and self.payment_status == "unpaid" and self.async_failed is None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A period of a subscription whose charge failed; ``healed`` when it was paid after all, or the contract ended."""

    invoice: str
    amount: int
    currency: str
    failed_at: float
    healed: bool


@dataclass(frozen=True, slots=True, order=True)
class Decline:
    """The last try that was refused: Stripe's words, addressed to the payer, and its code ("" where it sent none)."""

    at: float
    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """How a payment was made, in Stripe's names; "" where Stripe tells none."""

    kind: str
    brand: str
    last_four: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, known by its PaymentIntent (or charge, or an invoice that was paid outside Stripe)."""

    id: str
    amount: int
    currency: str
    paid_at: float | None
    processing: bool
    canceled: bool
    outside: bool
    request_id: str | None
    subscription: str | None
    invoice: str | None
    livemode: bool
    split: tuple[int, int, int, int] | None
    presentment: tuple[int, str] | None
    decline: Decline | None
    refunded_total: int
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    attached: bool = False
    """A person put it into its deal."""
    crowd: bool = False
    """It was found late, together with payments of many other deals."""
    renewal: bool = False
    """A later period of a subscription."""
    untold: int | None = None
    """What the running totals tell beyond the known refunds; None where no total has a time."""
    by_total: bool = False
    """No event tells its refunds one by one."""
    method: Method | None = None

    @property
    def stripe_id(self) -> str:
        """What a person finds at Stripe: the invoice, where the money came outside."""
        return self.id.partition(":")[0]

    @property
    def page(self) -> str:
        """Its page in Stripe's dashboard: the invoice's, where the money came outside Stripe."""
        if self.outside:
            return page_of("invoices", self.invoice or "", self.livemode)
        return page_of("payments", self.id, self.livemode)

    @property
    def received(self) -> bool:
        return self.paid_at is not None

    @property
    def refunded(self) -> int:
        """By id where the refunds are known; a running total tells of those that are not. Never both added."""
        return sum(_worth(refund) for refund in self.refunds if refund.counts) + self.refunded_untold

    @property
    def refunded_untold(self) -> int:
        """What went back by refunds of which only the total is known."""
        known = sum(_worth(refund) for refund in self.refunds)
        return max(0, self.refunded_total - known) if self.untold is None else self.untold

    @property
    def lost(self) -> int:
        return sum(_worth(dispute) for dispute in self.disputes if dispute.state == "lost")

    @property
    def gone(self) -> int:
        """Refunds pending and succeeded, and lost disputes; never more than what was received."""
        return min(self.amount, self.refunded + self.lost)

    @property
    def disputed(self) -> str | None:
        """The gravest state of its disputes; an inquiry is none, for it moves no money."""
        states = {dispute.state for dispute in self.disputes}
        return next((state for state in ("open", "lost", "won") if state in states), None)

    @property
    def state(self) -> str:
        if not self.received:
            return "canceled" if self.canceled else "processing" if self.processing else "pending"
        if self.disputed in ("open", "lost"):
            return "disputed"
        if self.refunded >= self.amount:
            return "refunded"
        if self.inquiries:
            return "inquiry"
        return "partially_refunded" if self.refunded else "paid"

    @property
    def inquiries(self) -> tuple[Dispute, ...]:
        """Those that are open."""
        return tuple(dispute for dispute in self.disputes if dispute.state == "inquiry")


@dataclass(frozen=True, slots=True)
class Chase:
    """A person is asked to see to an unpaid request: ``step`` of chasing it, ``user_id`` 0 for who has the deal."""

    step: str
    reason: str
    user_id: int
    at: float


@dataclass(frozen=True, slots=True)
class Request:
    """A payment request with its sessions."""

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
    """Of a subscription: day, week, month or year, and how many of them."""
    contact_id: int | None = None
    """Kommo's contact who is to pay; None where Kommo could not tell."""
    due_on: date | None = None
    """The last day on which it is paid in time, in the account's time zone."""
    overdue_at: float | None = None
    """The moment at which that day is over."""
    chases: tuple[Chase, ...] = ()
    last_day: date | None = None
    """On which its link can be paid, in that time zone."""
    ended: bool = False
    """Its time is over, and Stripe has let its last session go unpaid."""

    def is_past_end(self, now: float) -> bool:
        """Nobody may be led to pay it any more."""
        return self.ended or (self.expires_at is not None and self.expires_at <= now)
