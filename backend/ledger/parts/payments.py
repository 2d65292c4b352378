"""A payment, its method and its declined tries, and the subscription periods whose charge failed."""

from dataclasses import dataclass

from backend.ledger.parts.returns import Dispute, Refund, worth_of
from backend.stripe_api.dashboard import page_of


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
    shared: bool = False
    """Other deals have parts of it: ``amount`` is this deal's."""
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
        return sum(worth_of(refund) for refund in self.refunds if refund.counts) + self.refunded_untold

    @property
    def refunded_untold(self) -> int:
        """The refunded amount in minor units that only a running total reports, beyond the known refunds."""
        known = sum(worth_of(refund) for refund in self.refunds)
        return max(0, self.refunded_total - known) if self.untold is None else self.untold

    @property
    def lost(self) -> int:
        """The amount of lost disputes in minor units."""
        return sum(worth_of(dispute) for dispute in self.disputes if dispute.state == "lost")

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
        """The payment's state: pending, processing, canceled, paid, partially_refunded, refunded, disputed or inquiry.

        A dispute that is open or lost comes before any refund; a full refund comes before an inquiry, which moves no
        money (docs/facts/stripe.md C9).
        """
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
