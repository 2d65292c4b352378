"""Changing a lead, whoever does it: the lead, its history, and the bots that a move starts."""

from dataclasses import dataclass, field

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.records import LOST, WON, BotStart, Json, Lead, StageMove, Tag

Place = tuple[int, int]
"""Pipeline and status."""


@dataclass
class LeadEdit:
    """What is to change; ``None`` leaves it alone, an empty list of values clears the field."""

    name: str | None = None
    price: float | None = None
    place: Place | None = None
    responsible_user_id: int | None = None
    loss_reason_id: int | None = None
    values: dict[int, list[Json]] = field(default_factory=dict)
    tags: list[Tag] | None = None


def apply(account: Account, lead: Lead, edit: LeadEdit, *, by: int, via: str) -> None:
    """``by`` is a user's id, 0 for a robot; ``via`` is api or person."""
    _rename(lead, edit)
    _price(account, lead, edit, by)
    _hand_over(account, lead, edit, by)
    _fill(account, lead, edit, by)
    if edit.tags is not None:
        lead.tags = edit.tags
    lead.updated_by = by
    lead.updated_at = account.now
    if edit.place and edit.place != (lead.pipeline_id, lead.status_id):
        move(account, lead, edit.place, by=by, via=via)
    if edit.loss_reason_id is not None:
        lead.loss_reason_id = edit.loss_reason_id
    account.record("lead_updated", lead.id, by)


def move(account: Account, lead: Lead, place: Place, *, by: int, via: str) -> None:
    before = (lead.pipeline_id, lead.status_id)
    lead.pipeline_id, lead.status_id = place
    lead.closed_at = account.now if place[1] in (WON, LOST) else None
    account.moves.append(StageMove(lead.id, account.now, by, via, before, place))
    account.bot_starts.append(BotStart(lead.id, account.now, "stage"))
    account.record("lead_status_changed", lead.id, by, before=[_stage(before)], after=[_stage(place)])


def _stage(place: Place) -> Json:
    return {"lead_status": {"id": place[1], "pipeline_id": place[0]}}


def _rename(lead: Lead, edit: LeadEdit) -> None:
    if edit.name is not None:
        lead.name = edit.name


def _price(account: Account, lead: Lead, edit: LeadEdit, by: int) -> None:
    if edit.price is None or edit.price == lead.price:
        return
    before, after = ({"sale_field_value": {"sale": price}} for price in (lead.price, edit.price))
    lead.price = edit.price
    account.record("sale_field_changed", lead.id, by, before=[before], after=[after])


def _hand_over(account: Account, lead: Lead, edit: LeadEdit, by: int) -> None:
    user_id = edit.responsible_user_id
    if user_id is None or user_id == lead.responsible_user_id:
        return
    before, after = ({"responsible_user": {"id": one}} for one in (lead.responsible_user_id, user_id))
    lead.responsible_user_id = user_id
    account.record("entity_responsible_changed", lead.id, by, before=[before], after=[after])


def _fill(account: Account, lead: Lead, edit: LeadEdit, by: int) -> None:
    for field_id, values in edit.values.items():
        before = lead.values.get(field_id, [])
        if values == before:
            continue
        if values:
            lead.values[field_id] = values
        else:
            lead.values.pop(field_id, None)
        shown = [[{"custom_field_value": {"field_id": field_id, **one}} for one in side] for side in (before, values)]
        account.record(f"custom_field_{field_id}_value_changed", lead.id, by, before=shown[0], after=shown[1])
