"""Checking one lead of a PATCH or POST: every reason to refuse it (docs/facts/kommo-api.md 7.2, 7.3)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.edits import LeadEdit, Place
from sandbox.kommo.accounts.values import Unfit, kept
from sandbox.kommo.api.calls import Call
from sandbox.kommo.api.leads.tags import UnfitTags, wanted_tags
from sandbox.kommo.api.shapes import found, wrong_types
from sandbox.kommo.problems import ItemError, wrong_type
from sandbox.kommo.records import LOST, Field, Json, Lead

_FIELDS_PER_ENTITY = 40


@dataclass
class Check:
    """Collects the edit and the errors of one item; ``lead`` is ``None`` for a new one."""

    call: Call
    item: Json
    lead: Lead | None = None
    edit: LeadEdit = field(default_factory=LeadEdit)
    errors: list[ItemError] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return self.call.account

    def run(self) -> "Check":
        for key, read in _READERS.items():
            if key in self.item:
                read(self, self.item[key])
        _check_place(self)
        _check_loss_reason(self)
        _check_tags(self)
        _check_contacts(self)
        return self

    def refuse(self, path: str) -> None:
        self.errors.append(ItemError(path))


def _name(check: Check, given: Any) -> None:
    if isinstance(given, str):
        check.edit.name = given
    else:
        check.errors.append(wrong_type("name", "string"))


def _price(check: Check, given: Any) -> None:
    switches = check.call.switches
    if isinstance(given, int) and not isinstance(given, bool):
        check.edit.price = given
    elif isinstance(given, float) and not switches.reads("price_decimals", "refused"):
        check.edit.price = given if switches.reads("price_decimals", "kept") else int(given)
    else:
        check.errors.append(wrong_type("price", "int"))


def _user_reader(key: str) -> "Callable[[Check, Any], None]":
    """A user named in a write must be an active user of the account, also where the value is only echoed."""

    def read(check: Check, given: Any) -> None:
        user = found(check.account.users, given)
        is_robot = given == 0 and key != "responsible_user_id"
        if not is_robot and (user is None or not user.is_active):
            check.refuse(key)
        elif key == "responsible_user_id":
            check.edit.responsible_user_id = given

    return read


def _moment_reader(key: str) -> "Callable[[Check, Any], None]":
    def read(check: Check, given: Any) -> None:
        if not isinstance(given, int) or isinstance(given, bool):
            check.errors.append(wrong_type(key, "int"))

    return read


def _values(check: Check, given: Any) -> None:
    if given is None:
        return
    if not isinstance(given, list):
        check.errors.append(wrong_type("custom_fields_values", "array"))
        return
    if len(given) > _FIELDS_PER_ENTITY and check.lead is None:
        check.refuse("custom_fields_values")
    for place, row in enumerate(given):
        _value(check, row, f"custom_fields_values.{place}")


def _value(check: Check, row: Any, path: str) -> None:
    target = _target(check.account, row)
    if target is None:
        check.refuse(f"{path}.{'field_code' if isinstance(row, dict) and 'field_code' in row else 'field_id'}")
        return
    try:
        check.edit.values[target.id] = kept(check.account, target, row.get("values"), path)
    except Unfit as unfit:
        check.errors.append(unfit.error)


def _target(account: Account, row: Any) -> Field | None:
    if not isinstance(row, dict):
        return None
    if "field_id" in row:
        named = found(account.custom_fields, row["field_id"])
        return named if named and named.entity == "leads" else None
    fields = account.custom_fields.values()
    return next((one for one in fields if one.entity == "leads" and one.code == row.get("field_code", "")), None)


_READERS: dict[str, Callable[[Check, Any], None]] = {
    "name": _name,
    "price": _price,
    "responsible_user_id": _user_reader("responsible_user_id"),
    "created_by": _user_reader("created_by"),
    "updated_by": _user_reader("updated_by"),
    "created_at": _moment_reader("created_at"),
    "updated_at": _moment_reader("updated_at"),
    "closed_at": _moment_reader("closed_at"),
    "custom_fields_values": _values,
}


def _check_place(check: Check) -> None:
    """A status must belong to the pipeline named with it, else to the lead's; type 1 is not for writing."""
    if "status_id" not in check.item and "pipeline_id" not in check.item:
        return None
    pipeline_id = check.item.get(
        "pipeline_id", check.lead.pipeline_id if check.lead else check.account.main_pipeline.id
    )
    pipeline = found(check.account.pipelines, pipeline_id)
    if pipeline is None:
        return check.refuse("pipeline_id")
    status_id = check.item.get("status_id", pipeline.first_open.id)
    status = pipeline.status(status_id)
    if status is None or (status.type == 1 and not _may_be_incoming(check, (pipeline_id, status_id))):
        return check.refuse("status_id")
    check.edit.place = (pipeline_id, status_id)
    return None


def _may_be_incoming(check: Check, place: Place) -> bool:
    is_echo = check.lead is not None and place == (check.lead.pipeline_id, check.lead.status_id)
    return not is_echo and check.call.switches.reads("into_incoming", "allowed")


def _check_loss_reason(check: Check) -> None:
    if check.item.get("loss_reason_id") is None:
        return
    check.errors.extend(wrong_types(check.item, {"loss_reason_id": int}))
    status_id = check.edit.place[1] if check.edit.place else check.lead.status_id if check.lead else 0
    if status_id == LOST:
        check.edit.loss_reason_id = check.item["loss_reason_id"]
    else:
        detail = "Loss reason can be specified only for lost lead"
        check.errors.append(ItemError("loss_reason_id", "NotSupportedChoice", detail, keyed=True))


def _check_contacts(check: Check) -> None:
    embedded = check.item.get("_embedded")
    given = embedded.get("contacts") if isinstance(embedded, dict) else None
    if given is not None and not (isinstance(given, list) and all(isinstance(one, dict) for one in given)):
        return check.errors.append(wrong_type("_embedded.contacts", "array"))
    for place, one in enumerate(given or []):
        if "id" in one and found(check.account.contacts, one["id"]) is None:
            check.refuse(f"_embedded.contacts.{place}.id")
    return None


def _check_tags(check: Check) -> None:
    own = check.lead.tags if check.lead else []
    try:
        check.edit.tags = wanted_tags(check.account, own, check.item)
    except UnfitTags as unfit:
        check.errors.append(wrong_type(unfit.path, "array"))
