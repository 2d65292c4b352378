"""Verified events on their way into the inbox, and the rows that they become."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.core.vault import Vault
from backend.storage.models import InboxEvent, StripeConnection
from backend.stripe_api.events import clean
from backend.stripe_api.signature import parse


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified event before it is stored. ``received_at``: epoch seconds. ``source``: as in ``InboxEvent``.

    ``state``: ``new``, or ``ignored`` for a type that we do not react to. ``account_id``: None if the connection
    belongs to no Kommo account yet.
    """

    connection_id: str
    account_id: int | None
    id: str
    type: str
    api_version: str
    body: bytes
    state: str
    received_at: float
    source: str = "webhook"


def arrival_of(
    connection: StripeConnection,
    event: Mapping[str, Any],
    body: bytes,
    received_at: float,
    *,
    state: str = "new",
    source: str = "webhook",
) -> Arrival:
    """Return the arrival of ``event``, the parsed ``body``, on this connection. ``received_at``: epoch seconds."""
    return Arrival(
        connection_id=connection.id,
        account_id=connection.account_id,
        id=str(event["id"]),
        type=str(event["type"]),
        api_version=clean(str(event.get("api_version") or ""), 64),
        body=body,
        state=state,
        received_at=received_at,
        source=source,
    )


def row_of(vault: Vault, arrival: Arrival) -> dict[str, Any]:
    """Return the columns of ``inbox_event``. The body is compressed and encrypted; an ignored event keeps none."""
    name = body_row(arrival.connection_id, arrival.id)
    return {
        "connection_id": arrival.connection_id,
        "id": arrival.id,
        "type": arrival.type,
        "api_version": arrival.api_version,
        "body": vault.seal(zlib.compress(arrival.body, 1), name) if arrival.state == "new" else None,
        "received_at": arrival.received_at,
        "state": arrival.state,
        "source": arrival.source,
        "attempts": 0,
        "next_try_at": 0.0,
        "error": "",
    }


@dataclass(frozen=True, slots=True)
class Group:
    """Arrivals for one commit.

    ``rows``: rows of ``inbox_event``, ordered by key. ``accounts``: the accounts to wake, sorted. ``unowned``:
    connections of new events that belonged to no account when the events arrived.
    """

    rows: Sequence[dict[str, Any]]
    accounts: Sequence[int]
    unowned: Sequence[str]


def group_of(vault: Vault, arrivals: Sequence[Arrival]) -> Group:
    """Return the group of these arrivals, with one row for each event, however many times it arrived."""
    rows = {(arrival.connection_id, arrival.id): row_of(vault, arrival) for arrival in arrivals}
    new = [one for one in arrivals if one.state == "new"]
    accounts = {one.account_id for one in new if one.account_id is not None}
    unowned = {one.connection_id for one in new if one.account_id is None}
    return Group([rows[key] for key in sorted(rows)], sorted(accounts), sorted(unowned))


def body_row(connection_id: str, event_id: str) -> str:
    """Return the encryption context that binds an event's body to its row."""
    return f"inbox_event:{connection_id}:{event_id}:body"


def read_body(vault: Vault, event: InboxEvent) -> dict[str, Any]:
    """Return the event as Stripe sent it. Raises ``LookupError`` if its body was not kept,
    ``CannotOpen`` if no key fits."""
    if event.body is None:
        raise LookupError(f"the body of {event.id} was not kept ({event.state})")
    packed = vault.open(event.body, body_row(event.connection_id, event.id))
    body: dict[str, Any] = parse(zlib.decompress(packed))
    return body
