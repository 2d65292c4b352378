"""The parts of a deal's ledger: values with the states that follow from each part alone."""

from dataclasses import dataclass
from datetime import date

from backend.stripe_api.dashboard import page_of

REFUND_COUNTS = frozenset(("pending", "requires_action", "succeeded"))
DISPUTE_OPEN = frozenset(("needs_response", "under_review"))
INQUIRY_OPEN = frozenset(("warning_needs_response", "warning_under_review"))


@dataclass(frozen=True, slots=True)
class Worth:
    """The value of a refund or dispute in its payment's currency, in minor units.

    Without ``known`` the value is the whole payment, because the share cannot be computed.
    """

    amount: int
    currency: str
    known: bool


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund of a payment. ``amount``: minor units of ``currency``. ``at``: epoch seconds of its creation."""

    id: str
    amount: int
    currency: str
    status: str
    at: float
    worth: Worth | None = None
    """The value in the payment's currency; None if the refund is in that currency."""
    undone_at: float | None = None
    """When it failed or was cancelled, in epoch seconds."""

    @property
    def own_worth(self) -> int:
        """The value in the payment's currency, in minor units."""
        return self.worth.amount if self.worth else self.amount

    @property
    def counts(self) -> bool:
        """True while the money counts as refunded: pending, requires_action or succeeded (docs/facts/stripe.md C8)."""
        return self.status in REFUND_COUNTS

    @property
    def outcome(self) -> str | None:
        """``succeeded``, or ``failed`` for a failed or cancelled refund; None while the outcome is open."""
        return {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}.get(self.status)


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute or inquiry of a payment (docs/facts/stripe.md C9).

    ``amount``: minor units of ``currency``. ``at`` and ``due_by``: epoch seconds. ``appeal``: the status
    of the appeal, None without one.
    """

    id: str
    amount: int
    currency: str
    status: str
    reason: str
    at: float
    due_by: float | None
    appeal: str | None
    worth: Worth | None = None
    """The value in the payment's currency; None if the dispute is in that currency."""
    was_inquiry: bool = False
    method: str = ""
    decided: int = 1
    """How many times it was decided as it is now, counting only decisions that followed a different one."""

    @property
    def is_inquiry(self) -> bool:
        """True for an inquiry, open or closed: the bank asks a question and no money has
        moved (docs/facts/stripe.md C9)."""
        return self.status.startswith("warning")

    @property
    def answerable(self) -> bool:
        """False for Klarna's inquiries, which can only be refunded (docs/facts/stripe.md C9)."""
        return self.method != "klarna"

    @property
    def state(self) -> str | None:
        """``open``, ``won`` or ``lost``; ``inquiry`` while the bank only asks; None for a closed
        inquiry and unknown statuses."""
        if self.status in DISPUTE_OPEN:
            return "open"
        if self.status in INQUIRY_OPEN:
            return "inquiry"
        return self.status if self.status in ("won", "lost") else None


def _worth(part: Refund | Dispute) -> int:
    return part.worth.amount if part.worth else part.amount


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
class Renewal:
    """A subscription period whose charge failed. ``amount``: minor units still due.

    ``healed``: the period was paid or written off after all, or the subscription ended.
    """

    invoice: str
    amount: int
    currency: str
    failed_at: float
    healed: bool


@dataclass(frozen=True, slots=True, order=True)
class Decline:
    """The payment's last declined try: time (epoch seconds), Stripe's message to the payer, and
    Stripe's code, '' without one."""

    at: float
    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """The payment method in Stripe's names (such as "card", "visa", "4242"); '' for what Stripe does not report."""

    kind: str
    brand: str
    last_four: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. ``id`` is its PaymentIntent, else its charge, else that of an invoice paid outside Stripe.

    Amounts are minor units of ``currency``, times epoch seconds. ``split``: subtotal, discount, shipping, tax of its
    session. ``presentment``: the amount and currency that the payer saw, if Stripe reports them.
    """

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
    """A person assigned it to its deal."""
    crowd: bool = False
    """It was found late, together with payments of many other deals."""
    renewal: bool = False
    """It pays a later period of a subscription."""
    untold: int | None = None
    """The amount that the running totals hold beyond the known refunds; None if no total has a time."""
    by_total: bool = False
    """No event reports its refunds one by one."""
    method: Method | None = None

    @property
    def stripe_id(self) -> str:
        """The id to search for at Stripe: the invoice's, if the money came outside Stripe."""
        return self.id.partition(":")[0]

    @property
    def page(self) -> str:
        """The address of its page in Stripe's dashboard: the invoice's page, if the money came outside Stripe."""
        if self.outside:
            return page_of("invoices", self.invoice or "", self.livemode)
        return page_of("payments", self.id, self.livemode)

    @property
    def received(self) -> bool:
        """True once the money arrived: amount and time are known."""
        return self.paid_at is not None

    @property
    def refunded(self) -> int:
        """The refunded amount in minor units: the known refunds that count, and the part of the
        total that they do not explain."""
        return sum(_worth(refund) for refund in self.refunds if refund.counts) + self.refunded_untold

    @property
    def refunded_untold(self) -> int:
        """The refunded amount in minor units that only a running total reports, beyond the known refunds."""
        known = sum(_worth(refund) for refund in self.refunds)
        return max(0, self.refunded_total - known) if self.untold is None else self.untold

    @property
    def lost(self) -> int:
        """The amount of lost disputes in minor units."""
        return sum(_worth(dispute) for dispute in self.disputes if dispute.state == "lost")

    @property
    def gone(self) -> int:
        """The amount of pending and succeeded refunds and lost disputes, in minor units;
        at most the received amount."""
        return min(self.amount, self.refunded + self.lost)

    @property
    def disputed(self) -> str | None:
        """The most serious state of its disputes: "open", "lost", "won" or None. An inquiry counts
        as none, it moves no money."""
        states = {dispute.state for dispute in self.disputes}
        return next((state for state in ("open", "lost", "won") if state in states), None)

    @property
    def state(self) -> str:
        """The payment's state: pending, processing, canceled, paid, partially_refunded,
        refunded, disputed or inquiry."""
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
        """The open inquiries."""
        return tuple(dispute for dispute in self.disputes if dispute.state == "inquiry")


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
