"""Small writes: a customer made by API, a subscription's metadata."""

from sandbox.stripe.api.call import Call
from sandbox.stripe.lives import completion
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj

CUSTOMER = ("description", "email", "metadata", "name", "phone")


def create_customer(call: Call) -> Obj:
    if call.params.keys() - {*CUSTOMER, "expand"}:
        raise Refusal(f"This sandbox keeps nothing of a customer but {', '.join(CUSTOMER)}.")
    return completion.new_customer(call.shelf, **{name: call.params[name] for name in CUSTOMER if name in call.params})


def update_subscription(call: Call) -> Obj:
    """Metadata only: invoices made before keep the old ones (docs/facts/stripe.md C6)."""
    if call.params.keys() - {"metadata", "expand"}:
        raise Refusal("This sandbox changes nothing but the metadata of a subscription.")
    subscription = call.shelf.get("subscription", call.ids[0])
    before = subscription["metadata"]
    changed = before | (call.params.get("metadata") or {})
    subscription["metadata"] = {key: value for key, value in changed.items() if value != ""}
    call.shelf.emit("customer.subscription.updated", subscription, {"metadata": before})
    return subscription
