"""All objects of one Stripe account in one mode, as they stand now, in the pinned shape."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.objects.ground import Ground
from sandbox.stripe.objects.refusals import missing
from sandbox.stripe.objects.schemas import Obj

Emit = Callable[..., None]


@dataclass
class Endpoint:
    """A webhook endpoint: Stripe's object, and its signing secrets with the time each one ends (None: never)."""

    shown: Obj
    secrets: dict[str, float | None]
    default_version: Callable[[], str]
    """The account's own version, for an endpoint made without one."""

    @property
    def version(self) -> str:
        return str(self.shown["api_version"] or self.default_version())

    @property
    def enabled(self) -> bool:
        return bool(self.shown["status"] == "enabled")

    def active_secrets(self, now: float) -> list[str]:
        return [secret for secret, end in self.secrets.items() if end is None or now < end]


@dataclass
class ObjectStore:
    """``emit(shelf, type, obj, previous=None)`` makes an event of what just happened to ``obj``."""

    account_id: str
    livemode: bool
    ground: Ground
    account_version: Callable[[], str]
    make_event: Emit
    objects: dict[str, dict[str, Obj]] = field(default_factory=lambda: defaultdict(dict))
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    asked: dict[str, Obj] = field(default_factory=dict)
    """Session id → the parameters it was made with: much of them never shows on the object."""
    lines: dict[str, list[Obj]] = field(default_factory=dict)
    """Session id → its line items, which Stripe shows on request only."""
    open: dict[str, Obj] = field(default_factory=dict)
    """Sessions that may still expire."""
    pending: dict[str, list[Obj]] = field(default_factory=dict)
    """Subscription id → lines of its next invoice, from pending invoice items."""
    paying: set[str] = field(default_factory=set)
    """Sessions whose payer has pressed the button and has no answer yet."""

    @property
    def mode(self) -> str:
        return "live" if self.livemode else "test"

    def add(self, obj: Obj) -> Obj:
        self.objects[obj["object"]][obj["id"]] = obj
        return obj

    def find(self, kind: str, id: str) -> Obj | None:
        return self.objects[kind].get(id)

    def get(self, kind: str, id: str, param: str = "id") -> Obj:
        """The object, or Stripe's 404."""
        found = self.find(kind, id)
        if found is None:
            raise missing(kind, id, param)
        return found

    def newest(self, kind: str, **fields: Any) -> Iterator[Obj]:
        """All objects of a kind whose fields are as given, newest first."""
        for obj in reversed(list(self.objects[kind].values())):
            if all(obj.get(name) == value for name, value in fields.items()):
                yield obj

    def any_of(self, id: str) -> Obj | None:
        """The object with this id, of whatever kind."""
        return next((kind[id] for kind in self.objects.values() if id in kind), None)

    def emit(self, type: str, obj: Obj, previous: Obj | None = None) -> None:
        self.make_event(self, type, obj, previous)

    def payments_of(self, *, intent: str | None = None, invoice: str | None = None) -> Iterator[Obj]:
        """InvoicePayments by PaymentIntent or by invoice."""
        for payment in self.newest("invoice_payment"):
            if intent in (None, payment["payment"].get("payment_intent")) and invoice in (None, payment["invoice"]):
                yield payment
