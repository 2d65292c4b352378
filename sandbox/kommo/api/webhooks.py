"""Account webhooks (docs/facts/kommo-api.md 12.1)."""

from sandbox.kommo.api.calls import Call, Routes, admins_only
from sandbox.kommo.api.listing import chooser
from sandbox.kommo.api.shapes import refuse_bad
from sandbox.kommo.problems import ItemError, problem, wrong_type
from sandbox.kommo.records import Json, Webhook

routes = Routes()
PATH = "/api/v4/webhooks"
_MOST = 100
_EVENTS = frozenset(
    f"{event}_{entity}"
    for event in ("add", "update", "delete", "restore", "status", "responsible", "note")
    for entity in ("lead", "contact", "company")
) | {"add_task", "update_task", "delete_task", "add_message", "add_outgoing_message", "add_talk"}


@routes.add("GET", PATH)
@admins_only
def list_webhooks(call: Call) -> Json | None:
    meets = chooser(call, equal=("destination",))
    rows = [webhook_shape(call, hook) for hook in call.account.webhooks.values() if meets(hook)]
    if not rows:
        return None
    return {"_total_items": len(rows), "_links": call.href(PATH), "_embedded": {"webhooks": rows}}


@routes.add("POST", PATH)
@admins_only
def post_webhook(call: Call) -> Json:
    """The same destination again is the same webhook."""
    item = call.item()
    refuse_bad(call.switches, [item], [_errors(item)])
    hook = next((one for one in call.account.webhooks.values() if one.destination == item["destination"]), None)
    hook = hook or _make(call, item["destination"])
    hook.settings, hook.disabled, hook.updated_at = item["settings"], False, call.account.now
    shape = webhook_shape(call, hook)
    if call.switches.reads("webhook_settings", "object"):
        shape["settings"] = dict.fromkeys(hook.settings, 1)
    return shape


@routes.add("DELETE", PATH)
@admins_only
def delete_webhook(call: Call) -> None:
    destination = call.item().get("destination")
    kept = {key: hook for key, hook in call.account.webhooks.items() if hook.destination != destination}
    if len(kept) == len(call.account.webhooks):
        raise problem(404, "Webhook not found")
    call.account.webhooks = kept


def webhook_shape(call: Call, hook: Webhook) -> Json:
    return {
        "id": hook.id,
        "destination": hook.destination,
        "created_at": hook.created_at,
        "updated_at": hook.updated_at,
        "account_id": call.account.id,
        "created_by": hook.created_by,
        "sort": hook.sort,
        "disabled": hook.disabled,
        "settings": hook.settings,
    }


def _errors(item: Json) -> list[ItemError]:
    errors = []
    if not str(item.get("destination", "")).startswith(("https://", "http://")):
        errors.append(ItemError("destination", "InvalidUrl", "This value is not a valid URL."))
    settings = item.get("settings")
    if not isinstance(settings, list) or not settings:
        return [*errors, wrong_type("settings", "array")]
    return errors + [ItemError(f"settings.{place}") for place, one in enumerate(settings) if str(one) not in _EVENTS]


def _make(call: Call, destination: str) -> Webhook:
    if len(call.account.webhooks) >= _MOST:
        raise problem(int(call.switches["webhooks_over_100"]), f"Limit {_MOST} of webhooks is reached")
    now = call.account.now
    hook = Webhook(call.world.ids.next("webhook"), destination, [], call.user.id, now, now, len(call.account.changes))
    call.account.webhooks[hook.id] = hook
    return hook
