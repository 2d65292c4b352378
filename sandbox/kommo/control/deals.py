"""Deals and what hangs on them: reading everything, making deals, and people's actions."""

from typing import Any

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.person import Person
from sandbox.kommo.control.calls import Action, Control
from sandbox.kommo.records import Json, Lead
from sandbox.kommo.views import lead_in_full, lead_view

_PERSON_ACTIONS = frozenset(name for name in vars(Person) if not name.startswith("_") and callable(vars(Person)[name]))


def list_leads(control: Control) -> list[Json]:
    return [lead_view(account, lead) for account in _accounts(control) for lead in account.leads.values()]


def get_lead(control: Control) -> Json:
    account = control.world.account_of_lead(control.path["id"])
    return lead_in_full(account, account.leads[control.path["id"]])


def add_lead(control: Control) -> Json:
    """``{"name", "price"?, "pipeline_id"?, "status_id"?, "contact"?: {"name", "email"?}, "account_id"?}``"""
    account, body = control.account, control.body
    contacts = [account.add_contact(**body["contact"])] if "contact" in body else []
    place = {key: body[key] for key in ("pipeline_id", "status_id", "responsible_user_id") if key in body}
    lead = account.add_lead(body["name"], body.get("price", 0), contacts=contacts, **place)
    return lead_in_full(account, lead)


def list_notes(control: Control) -> list[Any]:
    return [note for account in _accounts(control) for note in account.notes.values()]


def list_tasks(control: Control) -> list[Any]:
    return [task for account in _accounts(control) for task in account.tasks.values()]


def list_moves(control: Control) -> list[Any]:
    return [move for account in _accounts(control) for move in account.moves]


def list_changes(control: Control) -> list[Any]:
    return [change for account in _accounts(control) for change in account.changes]


def act(control: Control) -> Any:
    """``{...the action's own arguments, "account_id"?, "by"?: user id}``: what a person does by hand."""
    name = control.path["action"]
    if name not in _PERSON_ACTIONS:
        raise ValueError(f"a person can {', '.join(sorted(_PERSON_ACTIONS))}")
    own = {key: value for key, value in control.body.items() if key not in ("account_id", "by")}
    person = control.world.person(_account_meant(control), control.body.get("by"))
    done = getattr(person, name)(**own)
    return lead_in_full(person.account, done) if isinstance(done, Lead) else done


def _account_meant(control: Control) -> Account:
    lead_id = control.body.get("lead_id") or control.body.get("kept_id")
    return control.world.account_of_lead(lead_id) if lead_id else control.account


def _accounts(control: Control) -> list[Account]:
    return [control.account] if "account_id" in control.query else list(control.world.accounts.values())


ACTIONS: dict[str, Action] = {
    "GET /leads": list_leads,
    "POST /leads": add_lead,
    "GET /leads/{id:int}": get_lead,
    "GET /notes": list_notes,
    "GET /tasks": list_tasks,
    "GET /moves": list_moves,
    "GET /changes": list_changes,
    "POST /people/{action}": act,
}
