"""Webhook endpoints: the secret shows in the answer to the creation and never again."""

from urllib.parse import urlsplit

from sandbox.stripe.api.call import Call
from sandbox.stripe.api.showing import page
from sandbox.stripe.objects.refusals import Refusal, missing
from sandbox.stripe.objects.schemas import Obj, blank
from sandbox.stripe.objects.store import Endpoint

LOOPBACK = ("127.0.0.1", "localhost", "::1")
CHANGEABLE = ("url", "enabled_events", "description")


def create(call: Call) -> Obj:
    _check_limit(call)
    _check_url(call, call.params["url"])
    ground = call.shelf.ground
    basis = {
        "id": ground.new_id("we_1"),
        "object": "webhook_endpoint",
        "api_version": call.params.get("api_version"),
        "created": ground.now,
        "description": call.params.get("description"),
        "enabled_events": call.params["enabled_events"],
        "livemode": call.shelf.livemode,
        "metadata": call.params.get("metadata") or {},
        "status": "enabled",
        "url": call.params["url"],
    }
    shown, secret = blank("webhook_endpoint") | basis, ground.new_id("whsec_", 32)
    call.shelf.endpoints[shown["id"]] = Endpoint(shown, {secret: None}, call.shelf.account_version)
    return shown | {"secret": secret}


def _check_limit(call: Call) -> None:
    limit = call.shelf.ground.switches["endpoint_limit"]
    if limit != "none" and len(call.shelf.endpoints) >= int(limit):
        raise Refusal(f"You have reached the maximum of {limit} {call.shelf.mode} webhook endpoints.")


def _check_url(call: Call, url: str) -> None:
    """Live endpoints are HTTPS; a loopback address is let through, since this Stripe lives on one."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refusal(
            "Invalid URL: an explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )
    if call.shelf.livemode and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Refusal("Invalid URL: URLs must be HTTPS in live mode.", code="url_invalid", param="url")


def _find(call: Call) -> Endpoint:
    found = call.shelf.endpoints.get(call.ids[0])
    if found is None:
        raise missing("webhook_endpoint", call.ids[0], "webhook_endpoint")
    return found


def one(call: Call) -> Obj:
    return _find(call).shown


def many(call: Call) -> Obj:
    return page(call, [endpoint.shown for endpoint in reversed(call.shelf.endpoints.values())])


def update(call: Call) -> Obj:
    """The version is fixed for life; ``disabled`` turns deliveries off and on."""
    shown = _find(call).shown
    if "url" in call.params:
        _check_url(call, call.params["url"])
    shown |= {name: call.params[name] for name in CHANGEABLE if name in call.params}
    if "disabled" in call.params:
        shown["status"] = "disabled" if call.params["disabled"] else "enabled"
    changed = shown["metadata"] | (call.params.get("metadata") or {})
    shown["metadata"] = {key: value for key, value in changed.items() if value != ""}
    return shown


def delete(call: Call) -> Obj:
    endpoint = _find(call)
    endpoint.shown["status"] = "disabled"
    del call.shelf.endpoints[call.ids[0]]
    return {"id": call.ids[0], "object": "webhook_endpoint", "deleted": True}
