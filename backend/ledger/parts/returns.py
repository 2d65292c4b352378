"""Money that leaves a payment again: refunds and disputes, with the states that follow from each alone."""

from dataclasses import dataclass

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


def worth_of(part: Refund | Dispute) -> int:
    """The part's amount in the payment's currency and minor units."""
    return part.worth.amount if part.worth else part.amount
