"""Reading leads (docs/facts/kommo-api.md 7.1)."""

from sandbox.kommo import forms
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.values import shown
from sandbox.kommo.api.calls import Call, Routes
from sandbox.kommo.api.leads.lead_shape import PATH, deleted_shape, lead_shape, may
from sandbox.kommo.api.listing import chooser, filter_node, is_between, ordered, page
from sandbox.kommo.problems import problem
from sandbox.kommo.records import Json, Lead

routes = Routes()

_EQUAL = ("name", "price", "pipeline_id", "created_by", "updated_by", "responsible_user_id")
_BETWEEN = ("created_at", "updated_at", "closed_at")
_ORDERS = ("created_at", "updated_at", "id")


@routes.add("GET", PATH)
def list_leads(call: Call) -> Json | None:
    want_deleted = "only_deleted" in call.withs()
    seen = [lead for lead in _candidates(call) if lead.is_deleted == want_deleted]
    meets = chooser(call, equal=_EQUAL, between=_BETWEEN)
    rows = [lead for lead in seen if may(call, "view", lead) and meets(lead) and _fits(call, lead)]
    show = deleted_shape if want_deleted else lead_shape
    return page(call, PATH, "leads", ordered(call, rows, _ORDERS, "updated_at"), lambda lead: show(call, lead))


@routes.add("GET", PATH + "/{id:int}")
def get_lead(call: Call) -> Json | None:
    lead = call.account.lead(call.path["id"])
    if lead is not None and may(call, "view", lead):
        return lead_shape(call, lead)
    if call.switches.reads("missing_lead", "404"):
        raise problem(404, "Lead not found")
    return None


def _candidates(call: Call) -> list[Lead]:
    """A list of ids is looked up, so that asking for 250 of many leads stays quick."""
    node = filter_node(call, "id")
    if node is None:
        return list(call.account.leads.values())
    wanted = {int(text) for text in forms.leaves(node) if text.isdigit()}
    return [call.account.leads[lead_id] for lead_id in sorted(wanted) if lead_id in call.account.leads]


def _fits(call: Call, lead: Lead) -> bool:
    return (
        _stands_in(filter_node(call, "statuses"), lead)
        and _has_values(call, filter_node(call, "custom_fields_values"), lead)
        and _speaks_of(call.account, call.query.get("query"), lead)
    )


def _stands_in(node: object, lead: Lead) -> bool:
    if not isinstance(node, dict):
        return True
    place = {"pipeline_id": str(lead.pipeline_id), "status_id": str(lead.status_id)}
    return any(isinstance(one, dict) and one.items() <= place.items() for one in node.values())


def _has_values(call: Call, node: object, lead: Lead) -> bool:
    if not isinstance(node, dict) or call.switches.reads("field_filter", "ignored"):
        return True
    return all(_has(call.account, lead, field_id, wanted) for field_id, wanted in node.items() if field_id.isdigit())


def _has(account: Account, lead: Lead, field_id: str, wanted: object) -> bool:
    rows = shown(account, {key: held for key, held in lead.values.items() if key == int(field_id)}) or []
    held = [value for row in rows for value in row["values"]]
    if isinstance(wanted, dict) and wanted.keys() & {"from", "to"}:
        return any(is_between(value["value"], wanted) for value in held)
    texts = {str(value[key]) for value in held for key in ("value", "enum_id") if key in value}
    return bool(texts & set(forms.leaves(wanted)))


def _speaks_of(account: Account, query: object, lead: Lead) -> bool:
    """The full text search: fuzzy on purpose, it meets parts of words in any filled field."""
    if not isinstance(query, str) or not query:
        return True
    rows = shown(account, lead.values) or []
    texts = [lead.name, str(lead.id), *(str(value["value"]) for row in rows for value in row["values"])]
    return any(query.lower() in text.lower() for text in texts)
