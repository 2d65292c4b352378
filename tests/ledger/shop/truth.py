"""What Stripe knows of a shop's money: the truth that the ledger is held against. It shares no code with the ledger."""

from collections.abc import Iterator

from backend.facts import outside_id
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore

OPEN = ("needs_response", "under_review")
ASKING = ("warning_needs_response", "warning_under_review")


class ShopTruth:
    shelf: ObjectStore

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

    def shares(self, payment: str) -> dict[str, int]:
        """Invoice → what the payment paid of it, where it paid several."""
        parts = [one for name in self.shelf.objects["invoice"] for one in self.shelf.payments_of(invoice=name)]
        mine = [one for one in parts if one["payment"].get("payment_intent") == payment and one["status"] == "paid"]
        return {one["invoice"]: one["amount_paid"] for one in mine} if len(mine) > 1 else {}

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
