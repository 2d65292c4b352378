"""Lists of an account, of which only the invoices are played (docs/facts/kommo-api.md 11)."""

from sandbox.kommo.api.calls import Call, Routes
from sandbox.kommo.api.listing import page
from sandbox.kommo.api.shapes import missing, refuse_bad, request_id
from sandbox.kommo.problems import problem
from sandbox.kommo.records import Json

routes = Routes()
PATH = "/api/v4/catalogs"
INVOICES = 9001

_FIELDS = (
    ("BILL_STATUS", "select"),
    ("PAYER", "payer"),
    ("ITEMS", "items"),
    ("BILL_PRICE", "numeric"),
    ("BILL_PAYMENT_DATE", "date"),
    ("BILL_COMMENT", "textarea"),
)
_STATES = ("created", "partially_paid", "paid", "paid_in_advance")


@routes.add("GET", PATH)
def list_catalogs(call: Call) -> Json | None:
    if call.switches.reads("invoice_list", "absent"):
        return None
    row = {"id": INVOICES, "name": "Invoices", "type": "invoices", "account_id": call.account.id}
    return {"_links": call.href(PATH), "_embedded": {"catalogs": [row | {"_links": call.href(f"{PATH}/{INVOICES}")}]}}


@routes.add("GET", PATH + "/{id:int}/custom_fields")
def list_catalog_fields(call: Call) -> Json | None:
    _check(call)
    rows = [(place, *field) for place, field in enumerate(_FIELDS, 1)]
    path = f"{PATH}/{INVOICES}/custom_fields"
    return page(call, path, "custom_fields", rows, lambda row: _field(call, *row), counted=True)


@routes.add("GET", PATH + "/{id:int}/elements")
def list_elements(call: Call) -> Json | None:
    _check(call)
    elements = list(call.account.invoices.values())
    return page(call, f"{PATH}/{INVOICES}/elements", "elements", elements, lambda element: element)


@routes.add("POST", PATH + "/{id:int}/elements")
def post_elements(call: Call) -> Json:
    _check(call)
    items = call.items()
    refuse_bad(call.switches, items, [missing(item, "name") for item in items])
    rows = [_make(call, item) | {"request_id": request_id(item, place)} for place, item in enumerate(items)]
    return {"_links": call.href(f"{PATH}/{INVOICES}/elements"), "_embedded": {"elements": rows}}


def _check(call: Call) -> None:
    if call.path["id"] != INVOICES or call.switches.reads("invoice_list", "absent"):
        raise problem(404, "Catalog not found")


def _field(call: Call, place: int, code: str, kind: str) -> Json:
    states = [{"id": number, "value": state, "sort": number, "code": state} for number, state in enumerate(_STATES, 1)]
    enums = states if code == "BILL_STATUS" else None
    return {"id": place, "name": code, "code": code, "type": kind, "account_id": call.account.id, "enums": enums}


def _make(call: Call, item: Json) -> Json:
    """Values are kept as sent: nothing here reads them."""
    element_id, now = call.world.ids.next("element"), call.account.now
    kept = {"name": item["name"], "custom_fields_values": item.get("custom_fields_values")}
    times = {"created_at": now, "updated_at": now, "is_deleted": False, "catalog_id": INVOICES}
    call.account.invoices[element_id] = {"id": element_id, **kept, **times, "account_id": call.account.id}
    return call.account.invoices[element_id]
