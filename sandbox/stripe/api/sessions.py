"""POST routes of Checkout Sessions."""

from sandbox.stripe.api.call import Call
from sandbox.stripe.lives import sessions
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj


def create(call: Call) -> Obj:
    needed = call.shelf.ground.switches["price_data_needs"]
    if needed != "none" and any("price_data" in line for line in call.params.get("line_items", ())):
        call.need(f"{needed}_write")
    params = {name: value for name, value in call.params.items() if name != "expand"}
    return sessions.create(call.shelf, params)


def update(call: Call) -> Obj:
    """Metadata only: an empty value deletes its key."""
    if call.params.keys() - {"metadata", "expand"}:
        raise Refusal("This sandbox changes nothing but the metadata of a session.")
    session = call.shelf.get("checkout.session", call.ids[0], "session")
    changed = session["metadata"] | (call.params.get("metadata") or {})
    session["metadata"] = {key: value for key, value in changed.items() if value != ""}
    return session


def expire(call: Call) -> Obj:
    return sessions.expire(call.shelf, call.shelf.get("checkout.session", call.ids[0], "session"))
