"""What is tied to a lead (docs/facts/kommo-api.md 11)."""

from typing import Any

from sandbox.kommo.api.calls import Call, Routes
from sandbox.kommo.api.shapes import found, refuse_bad, wrong_types
from sandbox.kommo.problems import ItemError, deleted
from sandbox.kommo.records import Json, Lead

routes = Routes()
_LEAD = "/api/v4/leads/{id:int}"


@routes.add("GET", _LEAD + "/links")
def list_links(call: Call) -> Json | None:
    lead = call.account.lead(call.path["id"])
    return _listed(call, lead, _links(lead)) if lead else None


@routes.add("POST", _LEAD + "/link")
def link(call: Call) -> Json:
    lead, items = _lead(call, call.path["id"]), call.items()
    _check(call, items)
    for item in items:
        _tie(lead, item)
    return _listed(call, lead, _links(lead))


@routes.add("POST", _LEAD + "/unlink")
def unlink(call: Call) -> None:
    lead = _lead(call, call.path["id"])
    for item in call.items():
        _untie(lead, item)


@routes.add("POST", "/api/v4/leads/link")
def link_many(call: Call) -> Json:
    items = call.items()
    leads = [_lead(call, item.get("entity_id")) for item in items]
    _check(call, items)
    for lead, item in zip(leads, items, strict=True):
        _tie(lead, item)
    rows = [{"entity_id": lead.id, "entity_type": "leads", **item} for lead, item in zip(leads, items, strict=True)]
    return {"_total_items": len(rows), "_links": call.href("/api/v4/leads/link"), "_embedded": {"links": rows}}


def _lead(call: Call, lead_id: Any) -> Lead:
    lead = found(call.account.leads, lead_id)
    if lead is None or lead.is_deleted:
        raise deleted()
    return lead


def _check(call: Call, items: list[Json]) -> None:
    refuse_bad(call.switches, items, [_errors(call, item) for item in items])


def _errors(call: Call, item: Json) -> list[ItemError]:
    errors = wrong_types(item, {"metadata": dict, "to_entity_type": str})
    target = found(call.account.contacts, item.get("to_entity_id"))
    if item.get("to_entity_type") == "contacts" and target is None:
        errors.append(ItemError("to_entity_id"))
    return errors


def _tie(lead: Lead, item: Json) -> None:
    if item.get("to_entity_type") != "contacts":
        lead.links.append({key: item.get(key) for key in ("to_entity_id", "to_entity_type", "metadata")})
        return
    is_main = bool((item.get("metadata") or {}).get("is_main")) or not lead.contacts
    if is_main:
        lead.contacts = dict.fromkeys(lead.contacts, False)
    lead.contacts[item["to_entity_id"]] = is_main


def _untie(lead: Lead, item: Json) -> None:
    if item.get("to_entity_type") == "contacts" and found(lead.contacts, item.get("to_entity_id")) is not None:
        del lead.contacts[item["to_entity_id"]]
    named = (item.get("to_entity_id"), item.get("to_entity_type"))
    lead.links = [one for one in lead.links if (one["to_entity_id"], one["to_entity_type"]) != named]


def _links(lead: Lead) -> list[Json]:
    contacts = [
        {"to_entity_id": contact_id, "to_entity_type": "contacts", "metadata": {"main_contact": is_main}}
        for contact_id, is_main in lead.contacts.items()
    ]
    return [*contacts, *lead.links]


def _listed(call: Call, lead: Lead, rows: list[Json]) -> Json:
    links = call.href(f"/api/v4/leads/{lead.id}/links")
    return {"_total_items": len(rows), "_links": links, "_embedded": {"links": rows}}
