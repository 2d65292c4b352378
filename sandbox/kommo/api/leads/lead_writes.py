"""Writing leads: PATCH and POST, all or nothing unless switched otherwise (docs/facts/kommo-api.md 6, 7.2)."""

from sandbox.kommo.accounts import edits
from sandbox.kommo.api.calls import Answer, Call, Routes
from sandbox.kommo.api.leads.checks import Check
from sandbox.kommo.api.leads.lead_shape import PATH, may
from sandbox.kommo.api.shapes import found, request_id
from sandbox.kommo.problems import ItemError, deleted, invalid, no_right, problem
from sandbox.kommo.records import Json, Lead

routes = Routes()
_COMPLEX = 50


@routes.add("PATCH", PATH)
def patch_leads(call: Call) -> Json:
    items = call.items()
    checks = [_checked(call, item, item.get("id")) for item in items]
    saved = [_save(call, check) for check in _sound(call, checks)]
    return {"_links": call.href(PATH), "_embedded": {"leads": saved}}


@routes.add("PATCH", PATH + "/{id:int}")
def patch_lead(call: Call) -> Json:
    checks = _sound(call, [_checked(call, call.item(), call.path["id"])], may_be_partial=False)
    return _save(call, checks[0])


@routes.add("POST", PATH)
def post_leads(call: Call) -> Json:
    made = _make(call, call.items())
    rows = [{"id": lead.id, "request_id": own_id, "_links": call.href(f"{PATH}/{lead.id}")} for lead, own_id in made]
    return {"_links": call.href(PATH), "_embedded": {"leads": rows}}


@routes.add("POST", PATH + "/complex")
def post_complex(call: Call) -> Answer:
    """Contacts named by id are linked; a contact without one is made."""
    made = _make(call, call.items(_COMPLEX))
    return Answer([_complex_row(lead, own_id) for lead, own_id in made])


def _complex_row(lead: Lead, own_id: str) -> Json:
    contact_id = next(iter(lead.contacts), None)
    return {
        "id": lead.id,
        "contact_id": contact_id,
        "company_id": lead.company_id,
        "request_id": [own_id],
        "merged": False,
    }


def _checked(call: Call, item: Json, lead_id: object) -> Check:
    known = found(call.account.leads, lead_id)
    lead = known if known and not known.is_deleted else None
    if lead is None and call.switches.reads("patch_missing", "226"):
        raise deleted()
    if lead is None:
        return Check(call, item, errors=[ItemError("id")])
    if not may(call, "edit", lead):
        raise no_right(call.switches)
    return Check(call, item, lead).run()


def _sound(call: Call, checks: list[Check], *, may_be_partial: bool = True) -> list[Check]:
    """The checks to save: all of them, or the good ones where a batch is played as partial."""
    refused = [
        (check.item, request_id(check.item, place), check.errors) for place, check in enumerate(checks) if check.errors
    ]
    good = [check for check in checks if not check.errors]
    if refused and not (may_be_partial and good and call.switches.reads("batch", "partial")):
        raise invalid(call.switches, refused)
    return good


def _save(call: Call, check: Check) -> Json:
    lead = check.lead
    if lead is None:
        raise problem(500, "A check without a lead cannot be saved")
    _accept(call, lead, check)
    edits.apply(call.account, lead, check.edit, by=call.author, via="api")
    return {"id": lead.id, "updated_at": lead.updated_at, "_links": call.href(f"{PATH}/{lead.id}")}


def _accept(call: Call, lead: Lead, check: Check) -> None:
    """Any write takes a lead out of *Incoming leads*, and the first stage's bots start."""
    stays = call.switches.reads("incoming_write", "stays")
    if not call.account.is_incoming(lead) or check.edit.place or stays:
        return
    place = (lead.pipeline_id, call.account.pipelines[lead.pipeline_id].first_open.id)
    edits.move(call.account, lead, place, by=call.author, via="accepted")


def _make(call: Call, items: list[Json]) -> list[tuple[Lead, str]]:
    if call.user.leads.add == "D" and not call.user.is_admin:
        raise no_right(call.switches)
    _check_cap(call, len(items))
    checks = _sound(call, [Check(call, item).run() for item in items])
    return [(_new_lead(call, check), request_id(check.item, place)) for place, check in enumerate(checks)]


def _check_cap(call: Call, more: int) -> None:
    cap = call.account.lead_cap
    if cap is None or len(call.account.leads) + more <= cap or call.switches.reads("lead_cap", "accepted"):
        return
    raise problem(int(call.switches["lead_cap"]), "The limit of leads is reached")


def _new_lead(call: Call, check: Check) -> Lead:
    account, edit = call.account, check.edit
    place = edit.place or (account.main_pipeline.id, account.main_pipeline.first_open.id)
    lead = account.add_lead(edit.name or "", by=call.author, pipeline_id=place[0], status_id=place[1])
    edit.place = None
    edit.responsible_user_id = edit.responsible_user_id or call.user.id
    lead.contacts = _contacts(call, check.item)
    edits.apply(account, lead, edit, by=call.author, via="api")
    if not check.item.get("name"):
        lead.name = f"Lead #{lead.id}"
    return lead


def _contacts(call: Call, item: Json) -> dict[int, bool]:
    """The first one is the main one unless another says so; a contact without an id is made."""
    embedded = item.get("_embedded")
    given = embedded.get("contacts") or [] if isinstance(embedded, dict) else []
    ids = [one["id"] if "id" in one else call.account.add_contact(str(one.get("name", ""))).id for one in given]
    main = next((made for made, one in zip(ids, given, strict=True) if one.get("is_main")), ids[0] if ids else None)
    return {contact_id: contact_id == main for contact_id in ids}
