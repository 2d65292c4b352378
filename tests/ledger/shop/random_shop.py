"""A shop's life at the local Stripe and its post: events late, doubled, out of order, lost and sent again.

``RandomShop`` is driven by whoever draws (kind, a, b); what the state does not allow is refused by Stripe and changes
nothing. What Stripe knows is the truth that the ledger is held against.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from backend.core.clock import Clock
from backend.ledger.deal import Payment, Request
from backend.stripe_api.events import HANDLERS
from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.delivery.events import reaches
from sandbox.stripe.lives import sessions
from sandbox.stripe.lives.foreign import KINDS, Foreign
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import VERSIONS, Family, Obj
from tests.ledger.build import request
from tests.ledger.events import T0
from tests.ledger.in_memory import Book, told_by
from tests.ledger.lives import SENT_TO_OLD, marks
from tests.ledger.shop.truth import ASKING, OPEN, ShopTruth
from tests.sandbox.stripe.conftest import payment_params, subscription_params

LEADS = (11, 12, 13)
REQUESTS: dict[str, tuple[int, Request]] = {
    f"r{n}": (
        lead,
        request(
            1000,
            id=f"r{n}",
            created_at=T0 + n,
            mode="subscription" if n % 3 == 2 else "payment",
            currency=("EUR", "USD", "EUR", "JPY", "KWD", "EUR")[n],
        ),
    )
    for n, lead in enumerate(LEADS * 2)
}
FAMILIES: tuple[Family, ...] = ("pinned", "legacy")
REASONS = ("subscription_update", "subscription_threshold", "manual")
OUTCOMES = ("paid", "paid", "declined", "delayed")


class RandomShop(ShopTruth):
    """``families``: those of the endpoints that hear; ``switches``: what Stripe leaves open and this one does."""

    def __init__(
        self,
        seed: int,
        clock: Clock = lambda: float(T0),
        families: tuple[Family, ...] = FAMILIES,
        switches: Mapping[str, str] = SENT_TO_OLD,
    ) -> None:
        self.families = families
        self.world = StripeWorld(clock, switches=switches, seed=seed)
        self.shelf = self.world.default_account.shelves[True]
        self.book = Book(dict(REQUESTS))
        self.sent: list[Obj] = []
        """Everything that Stripe made, in order, each in the shape of the endpoint that gets it."""
        self.waiting: list[Obj] = []
        self.attached: list[tuple[str, int, int]] = []
        self.merged: dict[int, int] = {}
        """Deal that went → the one that stayed, as the people who merged them would tell."""
        self._made = 0

    @property
    def deeds(self) -> dict[str, Callable[[int, int], Any]]:
        world = self.world
        return {
            "pay": lambda a, b: world.pay_session(self._session(a)["id"], Payer(OUTCOMES[b % 4], tax=b % 3 * 100)),
            "pay again": lambda a, b: world.pay_session(
                self._any("checkout.session", a, "open"), Payer(OUTCOMES[b % 4])
            ),
            "settle": lambda a, b: world.settle_payment(
                self._any("payment_intent", a, "processing"), ("paid", "failed")[b % 2]
            ),
            "expire": lambda a, _b: sessions.expire(self.shelf, self._session(a)),
            "refund": lambda a, b: world.refund(
                self._any("payment_intent", a, "succeeded"),
                (None, 1, 300)[b % 3],
                ("succeeded", "pending", "failed")[b // 3 % 3],
            ),
            "finish": lambda a, b: world.finish_refund(
                self._any("refund", a, "pending"), ("succeeded", "failed", "canceled")[b % 3]
            ),
            "dispute": lambda a, b: world.open_dispute(self._any("payment_intent", a, "succeeded"), inquiry=b % 2 == 0),
            "close": lambda a, b: world.close_dispute(self._any("dispute", a, *OPEN, *ASKING), ("won", "lost")[b % 2]),
            "answer": lambda a, _b: world.answer_dispute(self._any("dispute", a, *OPEN, *ASKING)),
            "turn": lambda a, _b: world.decide_dispute_again(self._any("dispute", a, "won", "lost")),
            "hold": lambda a, b: world.hold_payment(1000, ("eur", "jpy")[b % 2], marks(LEADS[a % 3]), live=True),
            "capture": lambda a, b: world.capture_payment(
                self._any("payment_intent", a, "requires_capture"), (963, None, 0, 500)[b % 4]
            ),
            "renew": lambda a, b: world.renew_subscription(
                self._any("subscription", a, "active"), ("paid", "paid", "failed")[b % 3]
            ),
            "retry": lambda a, _b: world.retry_renewal(self._any("subscription", a)),
            "cancel": lambda a, _b: world.cancel_subscription(self._any("subscription", a, "active", "past_due")),
            "invoice": lambda a, b: world.send_invoice(1000 + b * 100, "eur", marks(LEADS[a % 3]), live=True),
            "pay part": lambda a, b: world.pay_invoice(
                self._any("invoice", a, "open", "uncollectible"), (None, 300, 2000)[b % 3]
            ),
            "pay together": lambda a, b: world.pay_invoices(self._two_invoices(a, b)),
            "pay outside": lambda a, b: world.pay_invoice(self._idle_invoice(a), outside=True, recorded=b % 2 == 0),
            "give up": lambda a, b: world.give_up_invoice(
                self._any("invoice", a, "open"), ("void", "uncollectible")[b % 2]
            ),
            "add item": lambda a, b: world.add_invoice_item(
                self._any("subscription", a, "active"), 250, marks(LEADS[b % 3])
            ),
            "correct": lambda a, b: world.mark_subscription(
                self._any("subscription", a, "active"), marks(LEADS[b % 3])
            ),
            "bill": lambda a, b: world.bill_subscription(
                self._any("subscription", a, "active"), 150, REASONS[b % len(REASONS)]
            ),
            "foreign": lambda a, _b: world.foreign_payment(Foreign(KINDS[a % len(KINDS)]), live=True),
        }

    def do(self, deed: str, a: int, b: int) -> None:
        """One thing happens at Stripe; its events are posted to an endpoint of either family."""
        with suppress(Refusal):
            self.deeds[deed](a, b)
        version = VERSIONS[self.families[(a + b) % len(self.families)]]
        for event in self.world.events[self._made :]:
            if reaches(self.shelf, event.type, version, list(HANDLERS)):
                shown = event.shown(version, 0)
                self.sent.append(shown)
                self.waiting.append(shown)
        self._made = len(self.world.events)

    def deliver(self, at: int) -> None:
        if self.waiting:
            self.book.tell(told_by(self.waiting.pop(at % len(self.waiting))))

    def duplicate(self, at: int) -> None:
        """Delivered again, or early: it still comes once more."""
        if self.sent:
            self.book.tell(told_by(self.sent[at % len(self.sent)]))

    def attach(self, at: int, lead: int) -> None:
        """A person puts a payment where it belongs, or takes it out (0)."""
        payments = [one for one in sorted(self.book.facts) if one.startswith("pi_")]
        if payments:
            self.attached.append((payments[at % len(payments)], lead, len(self.attached) + 1))
            self.book.attach(*self.attached[-1])

    def merge(self, gone: int, survivor: int) -> None:
        """A person merges two deals; one that went can't be merged again."""
        if gone != survivor and not {gone, survivor} & self.merged.keys():
            self.merged[gone] = survivor
            self.book.merge_deals(gone, survivor)

    def where(self, lead: int) -> int:
        """The deal that this one is by now."""
        while lead in self.merged:
            lead = self.merged[lead]
        return lead

    def straight(self) -> Book:
        """The ledger of one who got every event once, in order, and was told of the deals last."""
        book = self.unmerged()
        for gone, survivor in self.merged.items():
            book.merge_deals(gone, survivor)
        return book

    def unmerged(self) -> Book:
        """The same, had nobody merged any deals."""
        book = Book(dict(REQUESTS)).tell_events(self.sent)
        for payment, lead, word in self.attached:
            book.attach(payment, lead, word)
        return book

    def shown(self) -> list[Payment]:
        """Payments that stand in some deal."""
        return [payment for deal in self.book.deals().values() for payment in deal.received_anywhere]

    def _session(self, a: int) -> Obj:
        name = f"r{a % len(REQUESTS)}"
        lead, asked = REQUESTS[name]
        named = marks(lead, name)
        if asked.mode == "subscription":
            params = subscription_params(metadata=named, subscription_data={"metadata": named})
        else:
            price = {"product_data": {"name": "Website"}, "currency": asked.currency.lower(), "unit_amount": 1000}
            line = {"quantity": 1, "price_data": price}
            params = payment_params(metadata=named, payment_intent_data={"metadata": named}, line_items=[line])
        return sessions.create(self.shelf, params)

    def _two_invoices(self, a: int, b: int) -> list[str]:
        """Two open ones that nobody has begun to pay."""
        idle = [one["id"] for one in self.shelf.objects["invoice"].values() if one["status"] == "open"]
        idle = [one for one in idle if not any(self.shelf.payments_of(invoice=one))]
        first, second = (idle[at % len(idle)] if idle else "none" for at in (a, b))
        return [first, second if second != first else "none"]

    def _idle_invoice(self, at: int) -> str:
        """An open one that no bank is paying: what such a debit brings on top, no event of Stripe's tells."""
        one = self._any("invoice", at, "open")
        named = [part["payment"].get("payment_intent") for part in self.shelf.payments_of(invoice=one)]
        intents = [self.shelf.find("payment_intent", name) for name in named if name]
        return "none" if any(intent and intent["status"] == "processing" for intent in intents) else one

    def _any(self, kind: str, at: int, *states: str) -> str:
        """One of those in these states, if there are any; else Stripe refuses."""
        objects = self.shelf.objects[kind].values()
        known = [one["id"] for one in objects if not states or one["status"] in states]
        return known[at % len(known)] if known else "none"
