"""A deal as its card shows it; plain objects for the page's script."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.chat_acts import delivery_of
from sandbox.kommo.accounts.values import shown
from sandbox.kommo.chat_records import Message
from sandbox.kommo.records import Contact, Field, Json, Lead, Task, User

EMPTY: Json = {
    "id": 0,
    "name": "",
    "price": "",
    "status_id": 0,
    "groups": [],
    "feed": [],
    "contacts": [],
    "contact_cards": [],
}


def card_of(account: Account, lead: Lead | None) -> Json:
    """Everything of a deal that is seen; without a lead, an empty card that was not saved yet."""
    stages = {"stages": _stages(account, lead), "currency": account.currency}
    if lead is None:
        return EMPTY | stages
    return stages | {
        "id": lead.id,
        "name": lead.name,
        "price": budget_text(lead.price),
        "status_id": lead.status_id,
        "pipeline_id": lead.pipeline_id,
        "updated_at": lead.updated_at,
        "tags": [tag.name for tag in lead.tags],
        "groups": _groups(account, lead),
        "contacts": [account.contacts[one].name for one in lead.contacts if one in account.contacts],
        "contact_cards": [
            _contact_card(account, account.contacts[one]) for one in lead.contacts if one in account.contacts
        ],
        "feed": _feed(account, lead),
    }


def _contact_card(account: Account, contact: Contact) -> Json:
    """What the page tells widgets of a contact (docs/facts/kommo-widget.md 3.1)."""
    known = {"id": contact.id, "name": contact.name, "first_name": contact.first_name, "last_name": contact.last_name}
    return known | {"phones": _said(account, contact, "PHONE"), "emails": _said(account, contact, "EMAIL")}


def _said(account: Account, contact: Contact, code: str) -> list[str]:
    rows = shown(account, contact.values) or []
    return [str(one["value"]) for row in rows if row["field_code"] == code for one in row["values"]]


def budget_text(price: float) -> str:
    """As Kommo prints a budget: thousands in groups, no decimals that say nothing."""
    return f"{price:,.0f}".replace(",", " ") if price == int(price) else f"{price:,.2f}".replace(",", " ")


def _stages(account: Account, lead: Lead | None) -> list[Json]:
    pipeline = account.pipelines[lead.pipeline_id] if lead else account.main_pipeline
    known = [one for one in pipeline.statuses if one.type == 0 or (lead and one.id == lead.status_id)]
    return [{"id": one.id, "name": one.name, "color": one.color} for one in known]


def _groups(account: Account, lead: Lead) -> list[Json]:
    """Fields by group, in Kommo's order; a field without a group stands in the first."""
    rows = {row["field_id"]: row for row in shown(account, lead.values) or []}
    fields = sorted((one for one in account.custom_fields.values() if one.entity == "leads"), key=lambda one: one.sort)
    groups = sorted(account.groups.values(), key=lambda one: one.sort)
    of: dict[str, list[Json]] = {group.id: [] for group in groups}
    for field in fields:
        of[field.group_id if field.group_id in of else groups[0].id].append(_row(account, field, rows))
    return [{"name": group.name, "fields": of[group.id]} for group in groups]


def _row(account: Account, field: Field, rows: dict[int, Json]) -> Json:
    values = rows.get(field.id, {}).get("values", [])
    text = ", ".join(_readable(account, field, one.get("value")) for one in values)
    return {"id": field.id, "name": field.name, "type": field.type, "code": field.code, "value": text}


def _readable(account: Account, field: Field, value: object) -> str:
    if field.type == "date_time" and isinstance(value, int):
        return datetime.fromtimestamp(value, ZoneInfo(account.timezone)).strftime("%Y-%m-%d %H:%M")
    return str(value)


def _feed(account: Account, lead: Lead) -> list[Json]:
    notes = [_entry(account, one.created_at, one.created_by, "note", one.text) for one in account.notes_of(lead.id)]
    moves = [
        _entry(account, one.at, one.by, "move", _stage_name(account, one.after))
        for one in account.moves
        if one.lead_id == lead.id
    ]
    tasks = [_task(account, one) for one in account.tasks_of(lead.id)]
    chat = [_message(account, one) for one in account.chats.of_lead(lead.id)]
    return sorted([*notes, *moves, *tasks, *chat], key=lambda entry: entry["at"])


def _task(account: Account, task: Task) -> Json:
    """A closed one with its result."""
    if not task.is_completed:
        return _entry(account, task.created_at, task.created_by, "task", task.text)
    result = (task.result or {}).get("text", "")
    return _entry(account, task.created_at, task.created_by, "closed", f"{task.text} → {result}")


def _message(account: Account, message: Message) -> Json:
    """As the chat shows it: the client by name, and of what went out how far it came."""
    client = account.contacts.get(account.chats.talks[message.talk_id].contact_id)
    delivery = delivery_of(account, message)
    author = (client.name if client else "Client") if message.incoming else f"Chat ({delivery or 'sent'})"
    return {"at": message.created_at, "kind": "message", "text": message.text, "by": author}


def _entry(account: Account, at: int, by: int, kind: str, text: str) -> Json:
    author = account.users.get(by)
    return {"at": at, "kind": kind, "text": text, "by": author.name if author else "Robot"}


def _stage_name(account: Account, place: tuple[int, int]) -> str:
    status = account.status(*place)
    return status.name if status else str(place[1])


def user_view(user: User) -> Json:
    return {"id": user.id, "name": user.name, "login": user.email, "is_admin": user.is_admin, "lang": user.lang}
