"""The whole local Stripe: accounts, time, faults, deliveries, and what happens to payments from outside."""

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from backend.core.clock import Clock
from sandbox.clock import MovableClock
from sandbox.stripe.delivery.courier import Courier, Delivery
from sandbox.stripe.delivery.events import Event, freeze, reaches
from sandbox.stripe.doubts.switches import Switches
from sandbox.stripe.lives import checkout, disputes, foreign, holds, invoicing, refunds, renewals, sessions
from sandbox.stripe.lives.checkout import Payer
from sandbox.stripe.lives.foreign import Foreign
from sandbox.stripe.objects.accounts import Account, first_keys
from sandbox.stripe.objects.ground import Ground
from sandbox.stripe.objects.refusals import missing
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore
from sandbox.stripe.traffic.faults import Faults
from sandbox.stripe.traffic.idempotency import Kept
from sandbox.stripe.traffic.limits import Limits
from sandbox.stripe.traffic.requests_log import Seen


class StripeWorld:
    """State in memory, for one process. Its methods are also ``/_sandbox/…`` over HTTP (``sandbox/stripe/control/``).

    A method that names an object finds it in whatever account and mode it lives; what does not exist is a
    ``Refusal`` (Stripe's own 404), and so is what the object's state does not allow.
    """

    def __init__(self, clock: Clock, *, switches: Mapping[str, str] | None = None, seed: int | None = None) -> None:
        self.clock = clock
        self.ground = Ground(clock, Random(seed), Switches(switches))  # noqa: S311
        self.courier = Courier(self.ground)
        self.faults = Faults()
        self.kept = Kept(self.ground)
        self.limits = Limits(clock)
        self.seen: list[Seen] = []
        self.events: list[Event] = []
        self.current_call: Obj | None = None
        """The API request now at work (``{"id", "idempotency_key"}``): the cause of the events it makes."""
        self.next_refund = "succeeded"
        """How the refunds asked for by API come out: succeeded, pending or failed."""
        self.accounts: dict[str, Account] = {}
        self.default_account = self.add_account("Sandbox shop")

    @property
    def base_url(self) -> str:
        return self.ground.base_url

    @base_url.setter
    def base_url(self, address: str) -> None:
        self.ground.base_url = address

    def add_account(self, name: str, keys: Mapping[str, Iterable[str] | None] | None = None) -> Account:
        """An account with ``keys`` (text → permission slugs, None for all).

        Without them, the n-th account has ``sk_test_sandboxN`` and ``sk_live_sandboxN``, which may do everything, and
        ``rk_test_sandboxN`` and ``rk_live_sandboxN`` with the permissions of ``accounts.LEAST``.
        """
        account = Account(self.ground.new_id("acct_1", 16), name, self.ground, self._emit)
        number = len(self.accounts) + 1
        for text, permissions in (first_keys(number) if keys is None else keys).items():
            account.add_key(text, permissions)
        self.accounts[account.id] = account
        return account

    def shelves(self) -> Iterator[ObjectStore]:
        for account in self.accounts.values():
            yield from account.shelves.values()

    def shelf(self, account: str | None, live: bool) -> ObjectStore:
        """The objects of an account (the default one if none is named) in one mode."""
        if account is not None and account not in self.accounts:
            raise missing("account", account)
        return (self.accounts[account] if account else self.default_account).shelves[live]

    def locate(self, id: str) -> tuple[ObjectStore, Obj]:
        """An object by its id, wherever it lives, or ``Refusal`` 404."""
        for shelf in self.shelves():
            found = shelf.any_of(id)
            if found is not None:
                return shelf, found
        raise missing("object", id)

    def tick(self) -> None:
        """Let the clock's work be done: sessions whose time is over expire."""
        for shelf in self.shelves():
            sessions.expire_due(shelf)
            checkout.fail_overdue(shelf)

    def advance(self, seconds: float) -> None:
        """Move the world's time; ``TypeError`` if its clock can't be moved."""
        if not isinstance(self.clock, MovableClock):
            raise TypeError("this world was given a clock that can't be moved")
        self.clock.advance(seconds)
        self.tick()

    def _emit(self, shelf: ObjectStore, type: str, obj: Obj, previous: Obj | None) -> None:
        event = freeze(shelf, type, obj, previous, self.current_call)
        self.events.append(event)
        self._send(shelf, event)

    def _send(self, shelf: ObjectStore, event: Event) -> list[Delivery]:
        return [
            self.courier.send(event, endpoint)
            for endpoint in shelf.endpoints.values()
            if endpoint.enabled and reaches(shelf, event.type, endpoint.version, endpoint.shown["enabled_events"])
        ]

    def event(self, id: str) -> Event:
        found = next((event for event in self.events if event.id == id), None)
        if found is None:
            raise missing("event", id)
        return found

    def redeliver(self, event_id: str) -> list[Delivery]:
        """Send an event once more to every endpoint that takes its type, as Stripe's resend button does."""
        event = self.event(event_id)
        return self._send(self.accounts[event.account_id].shelves[event.livemode], event)

    # What payers do.

    def start_paying(self, session_id: str) -> None:
        """The payer has pressed the button and has no answer yet."""
        shelf, session = self.locate(session_id)
        shelf.paying.add(session["id"])

    def pay_session(self, session_id: str, payer: Payer | None = None) -> Obj:
        self.tick()
        shelf, session = self.locate(session_id)
        return checkout.pay(shelf, session, payer or Payer())

    def settle_payment(self, intent_id: str, outcome: str = "paid") -> Obj:
        """A delayed payment comes in (``paid``) or back (``failed``)."""
        shelf, intent = self.locate(intent_id)
        return checkout.finish_delayed(shelf, intent, outcome)

    def renew_subscription(self, subscription_id: str, outcome: str = "paid") -> Obj:
        """The next period's invoice, ``paid`` or ``failed``."""
        shelf, subscription = self.locate(subscription_id)
        return renewals.renew(shelf, subscription, outcome)

    def retry_renewal(self, subscription_id: str) -> Obj:
        """The renewal that failed is collected after all; returns its invoice."""
        shelf, subscription = self.locate(subscription_id)
        return renewals.retry(shelf, subscription)

    def add_invoice_item(self, subscription_id: str, amount: int, metadata: Obj | None = None) -> Obj:
        """Add a line to the subscription's next invoice, with metadata of its own."""
        shelf, subscription = self.locate(subscription_id)
        return renewals.add_item(shelf, subscription, amount, metadata or {})

    def bill_subscription(self, subscription_id: str, amount: int, reason: str = "subscription_update") -> Obj:
        """Make and collect an invoice between two periods: a proration, ``subscription_threshold`` or ``manual``."""
        shelf, subscription = self.locate(subscription_id)
        return renewals.bill(shelf, subscription, amount, reason)

    def mark_subscription(self, subscription_id: str, metadata: Obj) -> Obj:
        """Change its metadata, as a person does in the dashboard."""
        shelf, subscription = self.locate(subscription_id)
        return renewals.mark(shelf, subscription, metadata)

    def cancel_subscription(self, subscription_id: str) -> Obj:
        shelf, subscription = self.locate(subscription_id)
        return renewals.cancel(shelf, subscription)

    # What banks and the shop's own people do.

    def refund(self, intent_id: str, amount: int | None = None, outcome: str = "succeeded") -> Obj:
        """A refund made in the dashboard: ``succeeded``, ``pending``, or ``failed`` (after it had succeeded)."""
        shelf, intent = self.locate(intent_id)
        params = {"payment_intent": intent["id"]} | ({} if amount is None else {"amount": amount})
        return refunds.refund(shelf, params, outcome)

    def finish_refund(self, refund_id: str, outcome: str) -> Obj:
        """``succeeded``, ``failed`` or ``canceled``."""
        shelf, refund = self.locate(refund_id)
        return refunds.finish(shelf, refund, outcome)

    def open_dispute(
        self, intent_id: str, amount: int | None = None, reason: str = "fraudulent", *, inquiry: bool = False
    ) -> Obj:
        shelf, intent = self.locate(intent_id)
        return disputes.open_dispute(shelf, intent, amount, reason, inquiry=inquiry)

    def answer_dispute(self, dispute_id: str) -> Obj:
        shelf, dispute = self.locate(dispute_id)
        return disputes.answer(shelf, dispute)

    def close_dispute(self, dispute_id: str, outcome: str) -> Obj:
        """``won`` or ``lost``."""
        shelf, dispute = self.locate(dispute_id)
        return disputes.close(shelf, dispute, outcome)

    def decide_dispute_again(self, dispute_id: str) -> Obj:
        """Won becomes lost, lost becomes won."""
        shelf, dispute = self.locate(dispute_id)
        return disputes.decide_again(shelf, dispute)

    def hold_payment(self, amount: int, currency: str, metadata: Obj, *, live: bool = False) -> Obj:
        """Other software holds money of a card; returns the PaymentIntent."""
        return holds.hold(self.shelf(None, live), amount=amount, currency=currency, metadata=metadata)

    def capture_payment(self, intent_id: str, amount: int | None = None) -> Obj:
        """Capture what is held, whole or in part; 0 lets it go."""
        shelf, intent = self.locate(intent_id)
        return holds.release(shelf, intent) if amount == 0 else holds.capture(shelf, intent, amount)

    def send_invoice(
        self,
        amount: int,
        currency: str,
        metadata: dict[str, str] | None = None,
        *,
        account: str | None = None,
        live: bool = False,
    ) -> Obj:
        """A dashboard invoice, of the default account if none is named."""
        return invoicing.send(self.shelf(account, live), amount=amount, currency=currency, metadata=metadata or {})

    def pay_invoice(
        self, invoice_id: str, amount: int | None = None, *, outside: bool = False, recorded: bool = True
    ) -> Obj:
        """Wholly, in part, too much, or marked as paid outside Stripe."""
        shelf, invoice = self.locate(invoice_id)
        if outside:
            return invoicing.pay_outside(shelf, invoice, amount, recorded=recorded)
        return invoicing.pay(shelf, invoice, amount)

    def pay_invoices(self, invoice_ids: Iterable[str]) -> Obj:
        """Pay all of them by one PaymentIntent; returns it."""
        located = [self.locate(one) for one in invoice_ids]
        return invoicing.pay_together(located[0][0], [invoice for _, invoice in located])

    def give_up_invoice(self, invoice_id: str, how: str = "void") -> Obj:
        """``void`` it, or mark it as ``uncollectible``."""
        shelf, invoice = self.locate(invoice_id)
        return (invoicing.write_off if how == "uncollectible" else invoicing.void)(shelf, invoice)

    def foreign_payment(self, what: Foreign | None = None, *, account: str | None = None, live: bool = False) -> Obj:
        """Somebody else is paid in the same Stripe account (the default one if none is named)."""
        return foreign.happen(self.shelf(account, live), what or Foreign())

    def roll_secret(self, endpoint_id: str, keep_seconds: float = 86400) -> str:
        """A new signing secret; the old ones sign along for so long."""
        for shelf in self.shelves():
            endpoint = shelf.endpoints.get(endpoint_id)
            if endpoint is not None:
                end = self.clock() + keep_seconds
                endpoint.secrets = {old: min(end, until or end) for old, until in endpoint.secrets.items()}
                fresh = self.ground.new_id("whsec_", 32)
                endpoint.secrets[fresh] = None
                return fresh
        raise missing("webhook_endpoint", endpoint_id)
