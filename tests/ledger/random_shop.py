"""A shop's life at the local Stripe and its post: events late, doubled, out of order, lost and sent again.

``RandomShop`` is driven by whoever draws (kind, a, b); what the state does not allow is refused by Stripe and changes
nothing. What Stripe knows is the truth that the ledger is held against.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from backend.facts import outside_id
from backend.ledger.deal import Payment, Request
from backend.stripe_api.events import HANDLERS
from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.lives import sessions
from sandbox.stripe.lives.foreign import KINDS, Foreign
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import VERSIONS, Family, Obj
from tests.ledger.build import request
from tests.ledger.events import T0
from tests.ledger.in_memory import Book, told_by
from tests.ledger.lives import SENT_TO_OLD, marks
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
            currency=("EUR", "USD", "EUR", "JPY", "EUR", "EUR")[n],
        ),
    )
    for n, lead in enumerate(LEADS * 2)
}
FAMILIES: tuple[Family, ...] = ("pinned", "legacy")
OPEN = ("needs_response", "under_review")
ASKING = ("warning_needs_response", "warning_under_review")
REASONS = ("subscription_update", "subscription_threshold", "manual")
OUTCOMES = ("paid", "paid", "declined", "delayed")


class RandomShop:
    def __init__(self, seed: int) -> None:
        self.world = StripeWorld(lambda: float(T0), switches=SENT_TO_OLD, seed=seed)
        self.shelf = self.world.default_account.shelves[True]
        self.book = Book(dict(REQUESTS))
        self.sent: list[Obj] = []
        """Everything that Stripe made, in order, each in the shape of the endpoint that gets it."""
        self.waiting: list[Obj] = []
        self.attached: list[tuple[str, int, int]] = []
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
            "pay part": lambda a, b: world.pay_invoice(self._any("invoice", a, "open"), (None, 300, 2000)[b % 3]),
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
        for event in self.world.events[self._made :]:
            if event.type in HANDLERS:
                shown = event.shown(VERSIONS[FAMILIES[(a + b) % 2]], 0)
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

    def straight(self) -> Book:
        """The ledger of one who got every event once, in order, and was told of the deals last."""
        book = Book(dict(REQUESTS)).tell_events(self.sent)
        for payment, lead, word in self.attached:
            book.attach(payment, lead, word)
        return book

    def received(self) -> dict[str, int]:
        """Stripe's word: payment → amount, of all that ever came in."""
        intents = self.shelf.objects["payment_intent"].values()
        by_stripe = {one["id"]: one["amount_received"] for one in intents if one["status"] == "succeeded"}
        return by_stripe | dict(self._outside())

    def _outside(self) -> Iterator[tuple[str, int]]:
        """By the record of each, or what nothing explains of a paid invoice."""
        for invoice in self.shelf.objects["invoice"].values():
            parts = [one for one in self.shelf.payments_of(invoice=invoice["id"]) if one["status"] == "paid"]
            for part in parts:
                if part["payment"]["type"] == "payment_record":
                    yield f"{invoice['id']}:{part['id']}", part["amount_paid"]
            rest = invoice["amount_paid"] - sum(part["amount_paid"] for part in parts)
            if rest:
                yield outside_id(invoice["id"]), rest

    def currency(self, payment: str) -> str:
        """Of a payment, or of the invoice that was paid outside Stripe."""
        intent = self.shelf.find("payment_intent", payment) or self.shelf.get("invoice", payment.partition(":")[0])
        return str(intent["currency"]).upper()

    def refunded(self, payment: str) -> int:
        """By the charge's total, which holds what was never captured as well."""
        intent = self.shelf.find("payment_intent", payment)
        charge = self.shelf.find("charge", intent["latest_charge"]) if intent else None
        if charge is None:
            return 0
        total: int = charge["amount_refunded"] - (charge["amount"] - charge["amount_captured"])
        return total

    def lost(self, payment: str) -> int:
        return sum(one["amount"] for one in self._disputes(payment) if one["status"] == "lost")

    def asks_about(self, payment: str) -> bool:
        return any(one["status"] in ASKING for one in self._disputes(payment))

    def _disputes(self, payment: str) -> list[Obj]:
        return [one for one in self.shelf.objects["dispute"].values() if one["payment_intent"] == payment]

    def disputed(self, payment: str) -> str | None:
        """The gravest of its disputes."""
        states = {"open" if one["status"] in OPEN else one["status"] for one in self._disputes(payment)}
        return next((state for state in ("open", "lost", "won") if state in states), None)

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
