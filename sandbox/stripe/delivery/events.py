"""Events: what happened, frozen at that moment in both families of versions."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.objects.legacy import as_legacy
from sandbox.stripe.objects.schemas import Family, Obj, family_of
from sandbox.stripe.objects.store import ObjectStore


@dataclass(frozen=True)
class Event:
    """``pinned`` and ``legacy`` are the two frozen ``data.object``; ``request`` is the API call behind it."""

    id: str
    account_id: str
    livemode: bool
    type: str
    created: int
    snapshots: dict[Family, Obj]
    previous: Obj | None
    request: Obj

    def shown(self, version: str, pending: int) -> Obj:
        """As Stripe sends it in ``version``, with ``pending`` deliveries not yet accepted."""
        data: Obj = {"object": deepcopy(self.snapshots[family_of(version)])}
        if self.previous is not None:
            data["previous_attributes"] = self.previous
        return {
            "id": self.id,
            "object": "event",
            "api_version": version,
            "created": self.created,
            "data": data,
            "livemode": self.livemode,
            "pending_webhooks": pending,
            "request": self.request,
            "type": self.type,
        }


def freeze(shelf: ObjectStore, type: str, obj: Obj, previous: Obj | None, request: Obj | None) -> Event:
    pinned = deepcopy(obj)
    if obj["object"] == "invoice" and shelf.ground.switches["invoice_payments_in_events"] == "present":
        pinned["payments"] = payments_list(shelf, obj["id"])
    return Event(
        id=shelf.ground.new_id("evt_1"),
        account_id=shelf.account_id,
        livemode=shelf.livemode,
        type=type,
        created=shelf.ground.now,
        snapshots={"pinned": pinned, "legacy": as_legacy(shelf, obj)},
        previous=previous,
        request=request or {"id": None, "idempotency_key": None},
    )


def payments_list(shelf: ObjectStore, invoice: str) -> Obj:
    """``invoice.payments``, the list that a pinned invoice shows on request."""
    data: list[Any] = [deepcopy(payment) for payment in shelf.payments_of(invoice=invoice)]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/invoice_payments?invoice={invoice}"}


LEGACY_NEVER = {"invoice_payment.paid": "invoice_payment_paid_on_legacy"} | dict.fromkeys(
    ("refund.created", "refund.updated", "refund.failed"), "refund_created_on_legacy"
)
"""Event type → the switch that tells whether endpoints before basil get it."""


def reaches(shelf: ObjectStore, type: str, version: str, enabled: list[str]) -> bool:
    """Whether an endpoint of ``version`` with these enabled events is sent this type."""
    if type not in enabled and "*" not in enabled:
        return False
    if family_of(version) == "pinned" or type not in LEGACY_NEVER:
        return True
    return shelf.ground.switches[LEGACY_NEVER[type]] == "sent"
