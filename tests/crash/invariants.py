"""What must hold when everything is quiet, whoever died, whatever was lost on the way, and whatever people did."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from sqlmodel import SQLModel, select

from backend.deal_sync.settle import UNSEEN
from backend.kommo_api.deal_fields import DEAL_FIELDS
from backend.storage.models import Account, CardWrite, InboxEvent, StripeConnection
from sandbox.kommo.records import Lead, StageMove
from sandbox.kommo.views import fields_of
from tests.crash.rig.killable import KillableWorld
from tests.crash.stripe_money import MoneyAtStripe, truth_of

MARK = re.compile(r"^(?:\[[a-z0-9]{8}\] )+")
"""The marks at the beginning of a note, by which it is found again."""


async def broken(
    world: KillableWorld, *, without: Sequence[str] = (), merged: Sequence[int] = (), many_faults: bool = False
) -> list[str]:
    """Every promise that does not hold, in words. ``without``: fields that a person has deleted; ``merged``: deals
    that hold what another had, so that their notes are about more than their own money; ``many_faults``: a note may
    have been lost twice on its way, and then is told to a person and never sent a third time."""
    given_up = {one.fact_id for one in await _rows(world, CardWrite) if many_faults and _is_given_up(one)}
    leads = [lead for lead in world.kommo.account.leads.values() if not lead.is_deleted]
    shown = [lead for lead in leads if world.integration.installed and lead.id not in merged]
    return [
        *(f"deal {lead.name}: {what}" for lead in leads for what in _nothing_twice(world, lead)),
        *(f"deal {lead.name}: {what}" for lead in shown for what in _amounts(world, lead, without)),
        *(
            f"deal {lead.name}: {what}"
            for lead in leads
            if lead.id not in merged
            for what in _notes(world, lead, given_up)
        ),
        *_of_account(world, without),
        *await _of_events(world),
        *await _of_intents(world, given_up),
        *await _of_tokens(world),
    ]


def _said(world: KillableWorld, lead: Lead) -> list[str]:
    """The lines of its notes: one for each fact."""
    notes = world.kommo.account.notes_of(lead.id)
    return [MARK.sub("", line) for note in notes for line in note.text.split("\n")]


def _truth(world: KillableWorld, lead: Lead) -> MoneyAtStripe:
    """With the money of deals that were merged into it."""
    merged = {lead.id}
    for one in sorted(world.kommo.account.leads.values(), key=lambda gone: gone.updated_at, reverse=True):
        merged |= {one.id} if one.merged_into in merged else set()
    return truth_of(world.shelf, *sorted(merged))


def _nothing_twice(world: KillableWorld, lead: Lead) -> Iterator[str]:
    account = world.kommo.account
    tasks, moves = account.tasks_of(lead.id), [move for move in account.moves if move.lead_id == lead.id]
    yield from (f"{count} times noted: {line}" for line, count in Counter(_said(world, lead)).items() if count > 1)
    yield from (f"{count} tasks: {text}" for text, count in Counter(task.text for task in tasks).items() if count > 1)
    yield from _moved_once([move for move in moves if move.via == "api"], world)


def _notes(world: KillableWorld, lead: Lead, given_up: Collection[str]) -> Iterator[str]:
    truth, said = _truth(world, lead), _said(world, lead)

    def due(one: str) -> bool:
        return world.integration.installed and not any(one in fact for fact in given_up)

    yield from _noted_once(said, "The client paid", {intent["id"]: due(intent["id"]) for intent in truth.intents})
    refunds = {refund["id"]: due(refund["id"]) and refund["status"] == "succeeded" for refund in truth.refunds}
    yield from _noted_once(said, "was refunded to the client (", refunds)
    yield from _noted_once(said, "opened a dispute", {dispute["id"]: due(dispute["id"]) for dispute in truth.disputes})


def _noted_once(said: list[str], phrase: str, due: Mapping[str, bool]) -> Iterator[str]:
    """Those that are ``due`` once, the others once at the most, and nothing of the kind beside them."""
    lines = [line for line in said if phrase in line]
    for one, is_due in due.items():
        count = sum(one in line for line in lines)
        if not is_due <= count <= 1:
            yield f"{one} has {count} notes '…{phrase}…'"
    yield from (f"a note about nothing: {line}" for line in lines if not any(one in line for one in due))


def _moved_once(moves: list[StageMove], world: KillableWorld) -> Iterator[str]:
    places = {
        (pipeline.id, status.id): status.sort
        for pipeline in world.kommo.account.pipelines.values()
        for status in pipeline.statuses
    }
    for place, count in Counter(move.after for move in moves).items():
        if count > 1:
            yield f"moved {count} times to {place}"
    yield from (f"moved back: {move}" for move in moves if places[move.after] <= places.get(move.before, 0))


def _amounts(world: KillableWorld, lead: Lead, without: Sequence[str]) -> Iterator[str]:
    truth, fields = _truth(world, lead), fields_of(world.kommo.account, lead)
    if not truth.intents:
        return
    for code, expected in _sums(truth).items():
        if code not in without and Decimal(str(fields.get(code, "NaN"))) != expected:
            yield f"{code} is {fields.get(code)}, and at Stripe it is {expected}"


def _sums(truth: MoneyAtStripe) -> dict[str, Decimal]:
    return {
        "STRIPE_AMOUNT_PAID": truth.received,
        "STRIPE_REFUNDED": truth.given_back,
        "STRIPE_PAYMENTS": Decimal(len(truth.intents)),
    }


def _of_account(world: KillableWorld, without: Sequence[str]) -> Iterator[str]:
    """Set up once: no field, no endpoint twice."""
    codes = Counter(field.code for field in world.kommo.account.custom_fields.values() if field.code)
    yield from (f"{count} fields {code}" for code, count in codes.items() if count > 1)
    missing = {field.code for field in DEAL_FIELDS} - codes.keys() - {*without}
    if missing:
        yield f"fields missing: {', '.join(sorted(missing))}"
    enabled = sum(endpoint.enabled for endpoint in world.shelf.endpoints.values())
    if enabled != 1:
        yield f"{enabled} webhook endpoints"


async def _of_events(world: KillableWorld) -> list[str]:
    """What Stripe had accepted is worked in, and in the end Stripe had everything accepted."""
    failed = [delivery for delivery in world.stripe.courier.deliveries if delivery.status == "failed"]
    accepted = [delivery.event for delivery in world.stripe.courier.deliveries if delivery.status == "succeeded"]
    events = {event.id: event for event in await _rows(world, InboxEvent)}
    lost = [event for event in accepted if event.id not in events]
    open_ones = [event for event in events.values() if event.state not in ("done", "foreign", "ignored")]
    return [
        *(f"given up by Stripe: {delivery.event.type}" for delivery in failed),
        *(f"accepted and lost: {event.type}" for event in lost),
        *(f"not worked in: {event.type} is {event.state}: {event.error}" for event in open_ones),
    ]


async def _of_intents(world: KillableWorld, given_up: Collection[str]) -> list[str]:
    """Nothing is in doubt for ever. A move that surely did not happen may be no longer wanted, and a task whose dispute
    is over or whose renewal was paid after all is not."""
    gone = {lead.id for lead in world.kommo.account.leads.values() if lead.is_deleted}
    over = (one["id"] for one in world.shelf.objects["dispute"].values() if one["status"] in ("won", "lost"))
    paid = (one["id"] for one in world.shelf.objects["invoice"].values() if one["status"] == "paid")
    unwanted = {("task", f"dispute:{one}") for one in over} | {("task", f"renewal:{one}") for one in paid}
    return [
        f"an intent without an end: {write.kind} {write.fact_id} is {write.state}"
        for write in await _rows(world, CardWrite)
        if not _has_ended(write, may_stay=write.kind == "stage" or (write.kind, write.fact_id) in unwanted)
        and write.lead_id not in gone
        and write.fact_id not in given_up
    ]


def _is_given_up(write: CardWrite) -> bool:
    return write.state == "dead" and write.error == UNSEEN


def _has_ended(write: CardWrite, *, may_stay: bool) -> bool:
    return write.state == "done" or (may_stay and write.state == "intended")


async def _of_tokens(world: KillableWorld) -> list[str]:
    """Where we are installed, Kommo accepts both tokens; the one for calls may be old, since it can be renewed."""
    if not world.integration.installed:
        return []
    accounts = await _rows(world, Account)
    if not accounts:
        return ["no account is connected"]
    (account,) = accounts
    if account.state != "connected":
        return [f"the account is in state {account.state}: {account.problem}"]
    kept = orjson.loads(world.vault.open_text(account.tokens, f"account:{account.id}:tokens"))
    pair = world.kommo.wallet.by_access.get(kept["access_token"])
    if pair is None or pair.access_revoked:
        return ["the access token is dead"]
    in_grace = world.kommo.switches.reads("old_refresh_token", "grace") and not (pair.follower and pair.follower.seen)
    is_live = world.kommo.refresh_is_live(pair) and (pair.follower is None or in_grace)
    if pair.refresh != kept["refresh_token"] or not is_live:
        return ["the refresh token is dead"]
    connections = await _rows(world, StripeConnection)
    return [f"{len(connections)} Stripe connections"] if len(connections) != 1 else []


async def _rows(world: KillableWorld, table: type[SQLModel]) -> list[Any]:
    async with world.database.read() as session:
        return list((await session.exec(select(table))).all())
