"""A Stripe account: its keys, and one shelf for test and one for live."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.stripe.objects.ground import Ground
from sandbox.stripe.objects.schemas import VERSIONS
from sandbox.stripe.objects.store import Emit, ObjectStore

LEAST = (
    "rak_checkout_session_write rak_webhook_write rak_webhook_endpoint_write rak_event_read rak_events_read "
    "rak_payment_intent_read rak_charge_read rak_invoice_read rak_invoice_payment_read rak_credit_note_read "
    "rak_subscription_read rak_refund_read rak_dispute_read rak_customer_read rak_product_write "
    "rak_connected_account_read"
).split()
"""What a merchant would tick for software that sells by Checkout and follows its payments (docs/facts/stripe.md F);
both readings of each slug in doubt, so that a turned switch does not lock the sandbox's own key out."""


@dataclass(frozen=True)
class Key:
    """``permissions`` are slugs such as ``rak_checkout_session_write``; None is a secret key, which may do all."""

    text: str
    permissions: frozenset[str] | None = None

    @property
    def livemode(self) -> bool:
        return self.text.split("_")[1] == "live"

    def may(self, slug: str) -> bool:
        """Write includes read."""
        if self.permissions is None:
            return True
        return slug in self.permissions or slug.removesuffix("_read") + "_write" in self.permissions

    @property
    def masked(self) -> str:
        return self.text[:8] + "*" * 8 + self.text[-4:]


@dataclass
class Account:
    id: str
    name: str
    ground: Ground
    emit: Emit
    own_version: str | None = None
    """The account's default API version; None follows the switch."""
    keys: dict[str, Key] = field(default_factory=dict)
    shelves: dict[bool, ObjectStore] = field(init=False)

    def __post_init__(self) -> None:
        self.shelves = {
            live: ObjectStore(self.id, live, self.ground, lambda: self.default_version, self.emit)
            for live in (False, True)
        }

    @property
    def default_version(self) -> str:
        switched = self.ground.switches["account_default_version"]
        return self.own_version or VERSIONS["legacy" if switched == "legacy" else "pinned"]

    def add_key(self, text: str, permissions: Iterable[str] | None = None) -> str:
        self.keys[text] = Key(text, None if permissions is None else frozenset(permissions))
        return text

    def add_restricted_key(self, permissions: Iterable[str], *, live: bool = False) -> str:
        """A made-up ``rk_`` key that may do just this."""
        return self.add_key(self.ground.new_id(f"rk_{'live' if live else 'test'}_sandbox"), permissions)

    def remove_key(self, text: str) -> None:
        del self.keys[text]

    @property
    def restricted_key(self) -> str:
        """The test mode's first restricted key."""
        return next(text for text in self.keys if text.startswith("rk_test_"))

    @property
    def secret_key(self) -> str:
        return self._secret(live=False)

    @property
    def live_secret_key(self) -> str:
        return self._secret(live=True)

    def _secret(self, live: bool) -> str:
        wanted = "sk_live_" if live else "sk_test_"
        return next(text for text in self.keys if text.startswith(wanted))


def first_keys(number: int) -> Mapping[str, Iterable[str] | None]:
    modes = ("test", "live")
    secret = {f"sk_{mode}_sandbox{number}": None for mode in modes}
    return secret | {f"rk_{mode}_sandbox{number}": LEAST for mode in modes}
