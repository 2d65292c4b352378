"""What Stripe knows about a deal's money: the truth that Kommo is held against, whatever our ledger says."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore

REFUNDED = ("pending", "requires_action", "succeeded")


@dataclass(frozen=True)
class MoneyAtStripe:
    """``intents`` succeeded; their ``refunds`` in any state and their ``disputes``; in Stripe's shapes."""

    intents: tuple[Obj, ...]
    refunds: tuple[Obj, ...]
    disputes: tuple[Obj, ...]

    @property
    def received(self) -> Decimal:
        """Major units; the runs are in a currency of two decimals."""
        return Decimal(sum(intent["amount_received"] for intent in self.intents)) / 100

    @property
    def given_back(self) -> Decimal:
        """Refunds and lost disputes, never more of a payment than what came in."""
        back = 0
        for intent in self.intents:
            parts = [one for one in self.refunds if one["status"] in REFUNDED]
            parts += [one for one in self.disputes if one["status"] == "lost"]
            mine = sum(part["amount"] for part in parts if part["payment_intent"] == intent["id"])
            back += min(mine, intent["amount_received"])
        return Decimal(back) / 100


def truth_of(shelf: ObjectStore, *lead_ids: int) -> MoneyAtStripe:
    """Of a deal, and of those that were merged into it."""
    named = (one for lead_id in lead_ids for one in _intents(shelf, lead_id))
    intents = {one["id"]: one for one in named if one["status"] == "succeeded"}
    ordered = tuple(intents.values())
    return MoneyAtStripe(
        ordered,
        tuple(_of(shelf, "refund", intents)),
        tuple(_of(shelf, "dispute", intents)),
    )


def _of(shelf: ObjectStore, kind: str, intents: dict[str, Obj]) -> Iterator[Obj]:
    return (one for one in shelf.objects[kind].values() if one["payment_intent"] in intents)


def _intents(shelf: ObjectStore, lead_id: int) -> Iterator[Obj]:
    """Those of the sessions made for this deal, and of the invoices of their subscriptions."""
    for session in shelf.objects["checkout.session"].values():
        if session["client_reference_id"] != str(lead_id):
            continue
        if session["payment_intent"]:
            yield shelf.objects["payment_intent"][session["payment_intent"]]
        for part in _parts(shelf, session["subscription"]):
            yield shelf.objects["payment_intent"][part["payment"]["payment_intent"]]


def _parts(shelf: ObjectStore, subscription: str | None) -> Iterator[Obj]:
    """InvoicePayments."""
    for invoice in shelf.objects["invoice"].values() if subscription else ():
        named = (invoice["parent"] or {}).get("subscription_details") or {}
        if named.get("subscription") == subscription:
            yield from shelf.payments_of(invoice=invoice["id"])
