"""The webhook endpoint of a Stripe connection: created by API, compared with what it should be, repaired."""

import hashlib
from collections.abc import Collection

import structlog

from backend.accounts.stripe.connections import connections_of, opened_secrets, secret_row, stripe_api, webhook_url
from backend.core.sentences.said import said, together
from backend.core.vault import CannotOpen
from backend.resources import Resources
from backend.storage.models import StripeConnection
from backend.stripe_api.client import DESCRIPTION, PINNED_VERSION, Answer, Refused, StripeApi, Unreachable
from backend.stripe_api.events import HANDLERS

EVENTS = sorted(HANDLERS)
FORMER_SECONDS = 4 * 86400.0
"""How long a replaced endpoint is kept: Stripe retries its undelivered events for three days."""
LOST = said("stripe_key_lost")
log = structlog.get_logger()


async def ensure_endpoints(resources: Resources, account_id: int) -> None:
    """Create or repair the endpoint of each connection with a key, draining ones too. Raises ``Unreachable``.

    A refusal of Stripe is stored as the connection's problem and does not stop the others.
    """
    async with resources.database.read() as session:
        connections = await connections_of(session, account_id)
    for connection in connections:
        if connection.api_key:
            await ensure_endpoint(resources, connection)


async def ensure_endpoint(resources: Resources, connection: StripeConnection) -> None:
    """Create the endpoint with the pinned version and our events, or compare and repair an existing one.

    A refusal and an undecryptable key are stored as the connection's problem. Raises ``Unreachable``.
    """
    try:
        endpoint = await _made_or_repaired(resources, connection)
    except Refused as error:
        await _refused(resources, connection, error)
        return
    except CannotOpen:
        await _note_problem(resources, connection, LOST)
        return
    if "secret" in endpoint:
        await _keep_endpoint(resources, connection, endpoint)
    else:
        await _note_registered(resources, connection, endpoint)


async def _refused(resources: Resources, connection: StripeConnection, error: Refused) -> None:
    """Store the refusal. If the admin created the endpoint and entered its secret, a key without the permission is no
    problem."""
    if error.status == 403 and connection.given_secrets:
        await _note_problem(resources, connection, "")
        return
    lacks = said("key_lacks_permission", permissions=" and ".join(error.permissions)) if error.permissions else ""
    await _note_problem(resources, connection, together(said("webhook_refused", reason=error.message), lacks))
    log.warning("endpoint refused", connection=connection.id, reason=error.message)


async def _made_or_repaired(resources: Resources, connection: StripeConnection) -> Answer:
    """The endpoint as Stripe has it now; a new one has its secret."""
    api, url = stripe_api(resources, connection), webhook_url(resources, connection.id)
    there = await _endpoint(api, connection.endpoint_id)
    has_secret = opened_secrets(resources, connection, connection.webhook_secrets)
    if there is not None and there.get("api_version") == PINNED_VERSION and has_secret:
        if wrong_with(there, url):
            there = await api.update_endpoint(there["id"], EVENTS, url)
        if resources.clock() - there["created"] > FORMER_SECONDS:
            await _delete_others(api, url, {there["id"]})
        return there
    try:
        made = await api.create_endpoint(url, EVENTS, _creation_key(connection, url))
    except Unreachable as error:
        if error.is_repeated:
            await _next_key(resources, connection)
        raise
    if connection.endpoint_tries:
        await _delete_others(api, url, {made["id"], connection.endpoint_id})
    return made


def wrong_with(endpoint: Answer, url: str) -> list[str]:
    """The differences between the endpoint and its target, as clauses for people; empty if there are none."""
    found = {
        "it has another API version": endpoint.get("api_version") != PINNED_VERSION,
        "its list of events differs from ours": sorted(endpoint["enabled_events"]) != EVENTS,
        "it sends to another URL": endpoint["url"] != url,
        "it is disabled": endpoint["status"] != "enabled",
    }
    return [words for words, is_so in found.items() if is_so]


async def _next_key(resources: Resources, connection: StripeConnection) -> None:
    async with resources.database.write() as session:
        row = await session.get_one(StripeConnection, connection.id, with_for_update=True)
        row.endpoint_tries = connection.endpoint_tries + 1
        session.add(row)


async def delete_endpoints(resources: Resources, connection: StripeConnection) -> None:
    """Delete all endpoints that we created for the connection; a missing one counts as deleted.

    Raises ``Refused`` if the key may not delete, ``Unreachable``, ``NotConnected`` and ``CannotOpen``.
    """
    api = stripe_api(resources, connection)
    if connection.endpoint_id:
        await _delete(api, connection.endpoint_id)
    await _delete_others(api, webhook_url(resources, connection.id), ())


async def _delete(api: StripeApi, endpoint_id: str) -> None:
    try:
        await api.delete_endpoint(endpoint_id)
    except Refused as error:
        if error.status != 404:
            raise


async def _delete_others(api: StripeApi, url: str, kept: Collection[str]) -> None:
    """Delete our other endpoints for this URL: replaced ones, and those whose secret was lost. Until then all of them
    deliver; an event that arrives twice counts once."""
    for one in await api.endpoints():
        if one["url"] == url and one["description"] == DESCRIPTION and one["id"] not in kept:
            await api.delete_endpoint(one["id"])


def _creation_key(connection: StripeConnection, url: str) -> str:
    """The idempotency key, unchanged until the endpoint is stored: a crash between Stripe's answer and our commit
    creates no second endpoint."""
    content = f"{url}|{PINNED_VERSION}|{','.join(EVENTS)}|{connection.endpoint_id}"
    key = f"endpoint:{connection.id}:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return f"{key}:{connection.endpoint_tries}" if connection.endpoint_tries else key


async def _endpoint(api: StripeApi, endpoint_id: str) -> Answer | None:
    if not endpoint_id:
        return None
    try:
        return await api.endpoint(endpoint_id)
    except Refused as error:
        if error.status == 404:
            return None
        raise


async def _keep_endpoint(resources: Resources, connection: StripeConnection, made: Answer) -> None:
    """Store the endpoint and its secret, which only this one answer of Stripe contains. If the connection was removed
    meanwhile, delete the endpoint instead."""
    sealed = resources.vault.seal_text(made["secret"], secret_row(connection.id))
    async with resources.database.write() as session:
        row = await session.get_one(StripeConnection, connection.id, with_for_update=True)
        if row.state != "removed":
            _take(row, made, sealed)
            session.add(row)
    if row.state == "removed":
        await _delete(stripe_api(resources, connection), made["id"])


def _take(row: StripeConnection, made: Answer, sealed: str) -> None:
    row.problem = ""
    if row.endpoint_id != made["id"]:  # two processes may have created it with the same idempotency key
        row.endpoint_id = made["id"]
        row.webhook_secrets = [sealed, *row.webhook_secrets][:2]
    _register(row, made)


def _register(row: StripeConnection, endpoint: Answer) -> None:
    row.endpoint_url, row.endpoint_version = endpoint["url"], str(endpoint.get("api_version") or "")
    row.endpoint_events = sorted(endpoint["enabled_events"])


async def _note_registered(resources: Resources, connection: StripeConnection, endpoint: Answer) -> None:
    """Store the endpoint's state if it changed; every connection is checked once an hour."""
    known = (connection.endpoint_url, connection.endpoint_version, connection.endpoint_events, connection.problem)
    if known == (endpoint["url"], endpoint.get("api_version"), sorted(endpoint["enabled_events"]), ""):
        return
    async with resources.database.write() as session:
        row = await session.get_one(StripeConnection, connection.id, with_for_update=True)
        if row.endpoint_id == endpoint["id"]:  # another process may have replaced it meanwhile
            _register(row, endpoint)
        row.problem = ""
        session.add(row)


async def _note_problem(resources: Resources, connection: StripeConnection, problem: str) -> None:
    if connection.problem == problem:
        return
    async with resources.database.write() as session:
        row = await session.get_one(StripeConnection, connection.id, with_for_update=True)
        row.problem = problem if row.state != "removed" else ""
        session.add(row)
