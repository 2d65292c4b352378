"""A lead as API v4 shows it, and who may see or change it."""

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.values import shown
from sandbox.kommo.api.calls import Call
from sandbox.kommo.records import Json, Lead, User

PATH = "/api/v4/leads"


def may(call: Call, action: str, lead: Lead) -> bool:
    """Does the user's letter for this action reach this lead? Admins may everything."""
    user = call.user
    letter = _letter(user, action, lead)
    is_own = lead.responsible_user_id == user.id
    has_group = user.group_id != 0 or call.switches.reads("null_group", "zero")
    is_in_group = letter == "G" and has_group and lead.group_id == user.group_id
    return user.is_admin or letter == "A" or is_in_group or (letter in ("M", "G") and is_own)


def _letter(user: User, action: str, lead: Lead) -> str:
    """The stage's letter where the user has one for it, else the general letter."""
    place = (lead.pipeline_id, lead.status_id)
    stages = [one for one in user.status_rights if (one.pipeline_id, one.status_id) == place]
    return str(getattr(stages[0] if stages else user.leads, action))


def lead_shape(call: Call, lead: Lead) -> Json:
    account = call.account
    body: Json = {
        "id": lead.id,
        "name": lead.name,
        "price": int(lead.price),
        "responsible_user_id": lead.responsible_user_id,
        "group_id": lead.group_id,
        "status_id": lead.status_id,
        "pipeline_id": lead.pipeline_id,
        "loss_reason_id": lead.loss_reason_id,
        "created_by": lead.created_by,
        "updated_by": lead.updated_by,
        "created_at": lead.created_at,
        "updated_at": lead.updated_at,
        "closed_at": lead.closed_at,
        "closest_task_at": closest_task_at(account, lead),
        "is_deleted": lead.is_deleted,
        "custom_fields_values": shown(account, lead.values),
        "score": None,
        "account_id": account.id,
        "labor_cost": None,
        "is_price_computed": False,
        "_links": call.href(f"{PATH}/{lead.id}"),
        "_embedded": _embedded(call, lead),
    }
    if call.switches.reads("price_with_minor_units", "present") or call.switches.reads("price_decimals", "kept"):
        body["price_with_minor_units"] = lead.price
    if "is_price_modified_by_robot" in call.withs():
        body["is_price_modified_by_robot"] = False
    if "source_id" in call.withs():
        body["source_id"] = None
    return body


def deleted_shape(call: Call, lead: Lead) -> Json:
    """A deleted lead shows nearly nothing."""
    known = {"id": lead.id, "is_deleted": True, "updated_at": lead.updated_at, "account_id": call.account.id}
    return {**dict.fromkeys(lead_shape(call, lead)), **known, "_links": call.href(f"{PATH}/{lead.id}")}


def closest_task_at(account: Account, lead: Lead) -> int | None:
    return min((task.complete_till for task in account.tasks_of(lead.id) if not task.is_completed), default=None)


def _embedded(call: Call, lead: Lead) -> Json:
    embedded: Json = {
        "tags": [{"id": tag.id, "name": tag.name, "color": None} for tag in lead.tags],
        "companies": _companies(call, lead),
    }
    if "contacts" in call.withs():
        embedded["contacts"] = [
            {"id": contact_id, "is_main": is_main, "_links": call.href(f"/api/v4/contacts/{contact_id}")}
            for contact_id, is_main in lead.contacts.items()
        ]
    if "loss_reason" in call.withs():
        embedded["loss_reason"] = [{"id": lead.loss_reason_id, "name": "Lost"}] if lead.loss_reason_id else []
    if "catalog_elements" in call.withs():
        embedded["catalog_elements"] = [link for link in lead.links if link["to_entity_type"] == "catalog_elements"]
    return embedded


def _companies(call: Call, lead: Lead) -> list[Json]:
    if lead.company_id is None:
        return []
    return [{"id": lead.company_id, "_links": call.href(f"/api/v4/companies/{lead.company_id}")}]
