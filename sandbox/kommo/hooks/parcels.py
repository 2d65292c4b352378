"""Changes of an account as the hooks that tell of them (docs/facts/kommo-api.md 12)."""

from dataclasses import replace

from sandbox.kommo import forms
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.values import shown
from sandbox.kommo.outbox import Parcel
from sandbox.kommo.records import Change, Json, Lead, StageMove, Trigger, Webhook
from sandbox.kommo.world import KommoWorld

_EVENTS = {
    "lead_added": "add",
    "lead_updated": "update",
    "lead_deleted": "delete",
    "lead_restored": "restore",
    "lead_status_changed": "status",
    "entity_responsible_changed": "responsible",
}


def collect(world: KommoWorld) -> None:
    """Put what happened since the last time into the outbox."""
    for account in world.accounts.values():
        changes, moves = world.outbox.told.get(account.id, (0, 0))
        numbers = range(changes, len(account.changes))
        parcels = [parcel for number in numbers for parcel in _webhooks(world, account, number)]
        if world.switches.reads("hook_order", "reversed_twice"):
            parcels = [*reversed(parcels), *reversed(parcels)]
        parcels += [parcel for move in account.moves[moves:] for parcel in _triggers(world, account, move)]
        world.outbox.waiting.extend(parcels)
        world.outbox.told[account.id] = (len(account.changes), len(account.moves))


def _webhooks(world: KommoWorld, account: Account, number: int) -> list[Parcel]:
    change = account.changes[number]
    event = _event(change)
    live = [hook for hook in account.webhooks.values() if not hook.disabled and hook.since <= number]
    hooks = [hook for hook in live if f"{event}_lead" in hook.settings]
    form = _form(account, change, event) if hooks else []
    return [_parcel(world, account, hook, form) for hook in hooks]


def _parcel(world: KommoWorld, account: Account, hook: Webhook, form: forms.Form) -> Parcel:
    return Parcel("webhook", account.id, hook.destination, world.clock(), form=form, webhook_id=hook.id)


def _event(change: Change) -> str:
    return "note" if change.type.endswith("_note_added") else _EVENTS.get(change.type, "")


def _form(account: Account, change: Change, event: str) -> forms.Form:
    """Form-encoded, old field names, all text."""
    lead = account.leads[change.entity_id]
    item = _note(account, change) if event == "note" else _lead(account, lead)
    if event == "status":
        before = change.before[0]["lead_status"]
        item |= {"old_status_id": before["id"], "old_pipeline_id": before["pipeline_id"]}
    link = f"https://{account.subdomain}.kommo.com"
    sender = {"id": account.id, "subdomain": account.subdomain, "_links": {"self": link}}
    return list(forms.flatten({"leads": {event: [item]}, "account": sender}))


def _lead(account: Account, lead: Lead) -> Json:
    item: Json = {
        "id": lead.id,
        "name": lead.name,
        "status_id": lead.status_id,
        "price": int(lead.price),
        "responsible_user_id": lead.responsible_user_id,
        "last_modified": lead.updated_at,
        "modified_user_id": lead.updated_by,
        "created_user_id": lead.created_by,
        "date_create": lead.created_at,
        "pipeline_id": lead.pipeline_id,
        "account_id": account.id,
        "created_at": lead.created_at,
        "updated_at": lead.updated_at,
        "custom_fields": [_field(row) for row in shown(account, lead.values) or []],
    }
    if account.switches.reads("price_with_minor_units", "present"):
        item["price_with_minor_units"] = lead.price
    return item


def _field(row: Json) -> Json:
    """A date's value is bare, every other is in ``value`` with its ``enum``."""
    if row["field_type"] in ("date", "date_time", "birthday"):
        values = [value["value"] for value in row["values"]]
    else:
        values = [
            {"value": value["value"], **({"enum": value["enum_id"]} if "enum_id" in value else {})}
            for value in row["values"]
        ]
    return {"id": row["field_id"], "name": row["field_name"], "values": values}


def _note(account: Account, change: Change) -> Json:
    note = account.notes[change.after[0]["note"]["id"]]
    body = {"id": note.id, "element_id": note.entity_id, "element_type": 2, "note_type": note.note_type}
    return {"note": {**body, "text": note.text, "account_id": account.id, "created_by": note.created_by}}


def _triggers(world: KommoWorld, account: Account, move: StageMove) -> list[Parcel]:
    """The actions of widgets that a move enters, leaves or goes on within."""
    actions = [trigger for trigger in account.triggers if trigger.stages & {move.before, move.after}]
    told = [(one, _told(account, move, one)) for one in actions]
    blank = Parcel("digital_pipeline", account.id, "", world.clock())
    if world.switches.reads("dp_body", "json"):
        return [replace(blank, url=one.url, json=body) for one, body in told]
    return [replace(blank, url=one.url, form=list(forms.flatten(body))) for one, body in told]


_TYPES = {"14": "lead_status_changed", "15": "lead_appeared_in_status"}


def _told(account: Account, move: StageMove, action: Trigger) -> Json:
    kind = account.switches["dp_type"]
    data = {
        "id": move.lead_id,
        "element_type": 2,
        "status_id": move.after[1],
        "pipeline_id": move.after[0],
        "direction_of_movement": _direction(account, move, action),
    }
    event = {"type": int(kind), "type_code": _TYPES[kind], "data": data}
    if account.switches.reads("dp_time", "present"):
        event["time"] = move.at
    return {
        "event": event,
        "action": {"settings": {"widget": {"settings": action.settings}}},
        "subdomain": account.subdomain,
        "account_id": account.id,
    }


def _direction(account: Account, move: StageMove, action: Trigger) -> str:
    if move.after not in action.stages:
        return "went_from_trigger"
    return account.switches["dp_inside"] if move.before in action.stages else "went_to_trigger"
