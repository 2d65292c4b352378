"""Checkout sessions as Stripe has them, and the calls by which the product made them so."""

from dataclasses import dataclass
from typing import Any

from sandbox.stripe import StripeWorld
from sandbox.stripe.traffic.faults import Fault

SESSIONS = "/v1/checkout/sessions"
_PROXYS = ("empty", "html_200", "json_200", "object_200", "html_403", "json_400")
NO_ANSWERS = (*_PROXYS, *(f"{kind}_after" for kind in _PROXYS), "short_200")
"""Faults whose answer is not Stripe's own, before and after the work was done."""


@dataclass(frozen=True)
class Checkout:
    """The sessions of Stripe's first account, in test mode."""

    stripe: StripeWorld

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Oldest first."""
        shelf = self.stripe.default_account.shelves[False]
        return list(shelf.objects.get("checkout.session", {}).values())

    @property
    def session(self) -> dict[str, Any]:
        """The newest."""
        return self.sessions[-1]

    @property
    def payable(self) -> list[dict[str, Any]]:
        return [session for session in self.sessions if session["status"] == "open"]

    def calls(self, method: str = "POST", path: str = SESSIONS) -> list[Any]:
        return [seen for seen in self.stripe.seen if (seen.method, seen.path) == (method, path)]

    def fault(self, kind: str, path: str = f"{SESSIONS}*", *, count: int = 10, **more: Any) -> None:
        """What goes wrong with the next ``count`` calls."""
        self.stripe.faults.order(Fault(kind, path, count=count, **more))
