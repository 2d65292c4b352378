"""Changes of an account as the hooks that tell of them (docs/facts/kommo-api.md 12)."""

from dataclasses import replace

from sandbox.kommo import forms
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.values import shown
from sandbox.kommo.outbox import Parcel
from sandbox.kommo.records import Change, Json, Lead, StageMove, Webhook
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
    wanted = [trigger for trigger in account.triggers if (trigger.pipeline_id, trigger.status_id) == move.after]
    blank = Parcel("digital_pipeline", account.id, "", world.clock())
    return [replace(blank, url=one.url, json=_told(account, move, one.settings)) for one in wanted]


def _told(account: Account, move: StageMove, settings: Json) -> Json:
    data = {
        "id": move.lead_id,
        "element_type": 2,
        "status_id": move.after[1],
        "pipeline_id": move.after[0],
        "direction_of_movement": 1,
    }
    return {
        "event": {"type": 14, "type_code": "lead_appeared_in_status", "data": data, "time": move.at},
        "action": {"settings": {"widget": {"settings": settings}}},
        "subdomain": account.subdomain,
        "account_id": account.id,
    }
