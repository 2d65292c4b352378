"""Reading objects: one by its id, or a page of them by filters."""

from collections.abc import Iterator
from typing import Any

from sandbox.stripe.api.call import Call, Handler
from sandbox.stripe.api.showing import by_fields, page
from sandbox.stripe.objects.schemas import Obj

LOOKUP_LAG = 3
"""Seconds for which a new PaymentIntent has no invoice payment yet, where the switch says so."""


def one(kind: str, param: str = "id") -> Handler:
    return lambda call: call.shelf.get(kind, call.ids[0], param)


def many(kind: str, *filters: str) -> Handler:
    found = by_fields(*filters)
    return lambda call: page(call, found(call, kind, call.shelf))


def sessions(call: Call) -> Obj:
    """Filters payment_intent and subscription find the one session behind them."""
    wanted = {name: call.params[name] for name in SESSION_FILTERS if name in call.params}
    rows = call.shelf.newest("checkout.session", **wanted)
    email = call.params.get("customer_details", {}).get("email")
    return page(call, (row for row in rows if email in (None, (row["customer_details"] or {}).get("email"))))


SESSION_FILTERS = ("payment_intent", "subscription", "customer", "status", "payment_link")


def session_lines(call: Call) -> Obj:
    call.shelf.get("checkout.session", call.ids[0], "session")
    rows = [line | {"created": 0} for line in call.shelf.lines[call.ids[0]]]
    answer = page(call, rows)
    return answer | {"data": [{key: value for key, value in row.items() if key != "created"} for row in answer["data"]]}


def invoice_payments(call: Call) -> Obj:
    return page(call, _payments(call))


def _payments(call: Call) -> Iterator[Obj]:
    asked: dict[str, Any] = call.params.get("payment", {})
    late = call.shelf.ground.switches["invoice_lookup"] == "late"
    newest = call.shelf.ground.now - (LOOKUP_LAG if late else 0)
    for part in call.shelf.payments_of(intent=asked.get("payment_intent"), invoice=call.params.get("invoice")):
        if call.params.get("status") in (None, part["status"]) and part["created"] <= newest:
            yield part


def invoices(call: Call) -> Obj:
    found = by_fields("customer", "status", "collection_method", "due_date")(call, "invoice", call.shelf)
    wanted = call.params.get("subscription")
    return page(call, (invoice for invoice in found if wanted in (None, _subscription_of(invoice))))


def _subscription_of(invoice: Obj) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def account(call: Call) -> Obj:
    return {
        "id": call.account.id,
        "object": "account",
        "business_profile": {"name": call.account.name, "support_email": None, "url": None},
        "charges_enabled": True,
        "country": "DE",
        "default_currency": "eur",
        "details_submitted": True,
        "email": "owner@shop.example",
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": call.account.name, "timezone": "Etc/UTC"}},
        "type": "standard",
    }
