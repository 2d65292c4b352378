"""The account itself, its users, and contacts (docs/facts/kommo-api.md 11)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.kommo import forms
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.values import shown
from sandbox.kommo.api.calls import Call, Routes, admins_only
from sandbox.kommo.api.listing import filter_node, ordered, page
from sandbox.kommo.problems import problem
from sandbox.kommo.records import Contact, Json, StageRights, User

routes = Routes()
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "BRL": "R$", "JPY": "¥", "MXN": "$", "TRY": "₺"}


@routes.add("GET", "/api/v4/account")
def get_account(call: Call) -> Json:
    account, withs = call.account, call.withs()
    body: Json = {
        "id": account.id,
        "name": account.name,
        "subdomain": account.subdomain,
        "current_user_id": call.user.id,
        "country": account.country,
        "currency": account.currency,
        "currency_symbol": _SYMBOLS.get(account.currency, account.currency),
        "customers_mode": "disabled",
        "is_unsorted_on": True,
        "mobile_feature_version": 0,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
        "_links": call.href("/api/v4/account"),
    }
    if call.switches.reads("account_language", "present"):
        body["language"] = account.language
    if "version" in withs:
        body["version"] = 11
    if "is_api_filter_enabled" in withs:
        body["is_api_filter_enabled"] = call.switches.reads("field_filter", "works")
    if "amojo_id" in withs:
        body["amojo_id"] = account.amojo_id
    if "drive_url" in withs:
        body["drive_url"] = "https://drive-c.kommo.com"
    embedded = {name: show(account) for name, show in _EMBEDDED.items() if name in withs}
    return body | ({"_embedded": embedded} if embedded else {})


@routes.add("GET", "/api/v4/users")
@admins_only
def list_users(call: Call) -> Json | None:
    users = sorted(call.account.users.values(), key=lambda user: user.id)
    return page(call, "/api/v4/users", "users", users, lambda user: user_shape(call, user), counted=True)


@routes.add("GET", "/api/v4/users/{id:int}")
@admins_only
def get_user(call: Call) -> Json:
    user = call.account.users.get(call.path["id"])
    if user is None:
        raise problem(404, "User not found")
    return user_shape(call, user)


@routes.add("GET", "/api/v4/contacts")
def list_contacts(call: Call) -> Json | None:
    node = filter_node(call, "id")
    wanted = set(forms.leaves(node))
    known = [one for one in call.account.contacts.values() if node is None or str(one.id) in wanted]
    rows = [one for one in known if _speaks_of(call, one)]
    chosen = ordered(call, rows, ("updated_at", "id"), "updated_at")
    return page(call, "/api/v4/contacts", "contacts", chosen, lambda one: contact_shape(call, one))


def _speaks_of(call: Call, contact: Contact) -> bool:
    """The full text search, as for deals: parts of the name or of any filled field."""
    asked = call.query.get("query")
    if not isinstance(asked, str) or not asked:
        return True
    rows = shown(call.account, contact.values) or []
    texts = [contact.name, *(str(value["value"]) for row in rows for value in row["values"])]
    return any(asked.lower() in text.lower() for text in texts)


@routes.add("GET", "/api/v4/contacts/{id:int}")
def get_contact(call: Call) -> Json | None:
    contact = call.account.contacts.get(call.path["id"])
    return contact_shape(call, contact) if contact else None


def contact_shape(call: Call, contact: Contact) -> Json:
    body: Json = {
        "id": contact.id,
        "name": contact.name,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "responsible_user_id": contact.responsible_user_id,
        "group_id": 0,
        "created_by": contact.responsible_user_id,
        "updated_by": contact.responsible_user_id,
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
        "closest_task_at": None,
        "is_deleted": False,
        "is_unsorted": False,
        "custom_fields_values": shown(call.account, contact.values),
        "account_id": call.account.id,
        "_links": call.href(f"/api/v4/contacts/{contact.id}"),
        "_embedded": {"tags": [], "companies": []},
    }
    if "leads" in call.withs():
        leads = [lead for lead in call.account.leads.values() if contact.id in lead.contacts and not lead.is_deleted]
        body["_embedded"]["leads"] = [{"id": one.id, "_links": call.href(f"/api/v4/leads/{one.id}")} for one in leads]
    return body


def user_shape(call: Call, user: User) -> Json:
    leads = {action: getattr(user.leads, action) for action in ("view", "edit", "add", "delete", "export")}
    rights: Json = {
        "leads": leads,
        "contacts": leads,
        "companies": leads,
        "tasks": {"edit": "A", "delete": "A"},
        "mail_access": False,
        "catalog_access": True,
        "status_rights": [_stage_rights(one) for one in user.status_rights],
        "is_admin": user.is_admin,
        "is_free": False,
        "is_active": user.is_active,
        "group_id": user.group_id or None,
        "role_id": None,
    }
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "lang": user.lang,
        "rights": rights,
        "_links": call.href(f"/api/v4/users/{user.id}"),
    }


def _stage_rights(given: StageRights) -> Json:
    rights = {action: getattr(given, action) for action in ("view", "edit", "delete", "export")}
    place = {"pipeline_id": given.pipeline_id, "status_id": given.status_id}
    return {"entity_type": "leads", **place, "rights": rights}


def _datetime_settings(account: Account) -> Json:
    offset = datetime.fromtimestamp(account.now, UTC).astimezone(ZoneInfo(account.timezone)).strftime("%z")
    return {
        "date_pattern": "m/d/Y H:i:s",
        "short_date_pattern": "m/d/Y",
        "short_time_pattern": "H:i",
        "date_format": "m/d/Y",
        "time_format": "H:i:s",
        "timezone": account.timezone,
        "timezone_offset": f"{offset[:3]}:{offset[3:]}",
    }


def _task_types(_account: Account) -> list[Json]:
    kinds = ((1, "Follow-up", "FOLLOW_UP"), (2, "Meeting", "MEETING"))
    return [{"id": number, "name": name, "color": None, "icon_id": None, "code": code} for number, name, code in kinds]


def _users_groups(account: Account) -> list[Json]:
    numbers = sorted({0, *(user.group_id for user in account.users.values())})
    return [{"id": number, "name": "Sales" if number == 0 else f"Group {number}", "uuid": None} for number in numbers]


_EMBEDDED: dict[str, Callable[[Account], Any]] = {
    "datetime_settings": _datetime_settings,
    "task_types": _task_types,
    "users_groups": _users_groups,
}
