"""What everything in this Stripe stands on: time, ids, switches, and its own address."""

from dataclasses import dataclass, field
from random import Random
from string import ascii_letters, digits

from backend.core.clock import Clock
from sandbox.stripe.doubts.switches import Switches


@dataclass
class Ground:
    clock: Clock
    random: Random
    switches: Switches
    base_url: str = field(default="http://127.0.0.1")

    @property
    def now(self) -> int:
        """Whole seconds, as all of Stripe's timestamps are."""
        return int(self.clock())

    def new_id(self, prefix: str, length: int = 24) -> str:
        return prefix + "".join(self.random.choices(ascii_letters + digits, k=length))
