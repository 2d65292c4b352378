"""GET /v1/events: 30 days back, each in the ACCOUNT's version whatever the caller sends (docs/facts/stripe.md C, D)."""

from collections.abc import Iterator

from sandbox.stripe.api.call import Call
from sandbox.stripe.api.showing import page
from sandbox.stripe.delivery.events import Event
from sandbox.stripe.objects.refusals import Refusal, missing
from sandbox.stripe.objects.schemas import Obj

KEPT_FOR = 30 * 86400
MOST_TYPES = 20


def one(call: Call) -> Obj:
    found = next((event for event in _visible(call) if event.id == call.ids[0]), None)
    if found is None:
        raise missing("event", call.ids[0])
    return _shown(call, found)


def many(call: Call) -> Obj:
    types = call.params.get("types") or [call.params["type"]] if {"type", "types"} & call.params.keys() else []
    if len(types) > MOST_TYPES:
        raise Refusal(f"You may pass at most {MOST_TYPES} types.", param="types")
    wanted = [event for event in _visible(call) if not types or event.type in types]
    if "delivery_success" in call.params:
        success = call.params["delivery_success"]
        wanted = [event for event in wanted if (call.world.courier.pending(event) == 0) is success]
    if call.shelf.ground.switches["events_order"] == "newest_first":
        wanted.reverse()
    return page(call, [_shown(call, event) for event in wanted])


def _visible(call: Call) -> Iterator[Event]:
    oldest = call.shelf.ground.now - KEPT_FOR
    for event in call.world.events:
        mine = event.account_id == call.account.id and event.livemode == call.shelf.livemode
        if mine and event.created >= oldest:
            yield event


def _shown(call: Call, event: Event) -> Obj:
    return event.shown(call.account.default_version, call.world.courier.pending(event))
