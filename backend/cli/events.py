"""``events``: Stripe's events, their states, and their replay."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import typer
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.cli.progress import bar
from backend.cli.reading import nothing, run_with_resources
from backend.core.clock import as_datetime
from backend.core.vault import CannotOpen
from backend.inbox.arrivals import read_body
from backend.inbox.replay import replay_portions, replayable
from backend.inbox.store import IS_UNFINISHED, STATES, WAITING, replay
from backend.resources import Resources
from backend.storage.models import InboxEvent, StripeConnection
from backend.stripe_api.errors import Refused, Unreachable

IDS_AT_ONCE = 50
"""Events that one unit of work looks up in every connection: webhooks wait for it."""

app = typer.Typer(no_args_is_help=True, help="The inbox of Stripe's events.")


@app.command("list")
def list_events(
    state: Annotated[str, typer.Option(help="Only this state: new, done, foreign, ignored, postponed, dead.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """The newest events, one a line."""
    _check(state)

    async def run(resources: Resources) -> None:
        async with resources.database.read() as session:
            found = await newest_events(session, state, limit)
        for event in found:
            when = as_datetime(event.received_at).strftime("%Y-%m-%d %H:%M:%S")
            typer.echo(f"{when}  {event.state:<9}  {event.type:<45}  {event.id}  {event.error}".rstrip())
        nothing(found, f"No event is {state}." if state else "Stripe has sent no event yet.")

    run_with_resources(run)


async def newest_events(session: AsyncSession, state: str, limit: int) -> list[InboxEvent]:
    """Return the newest ``limit`` events of all connections, without their bodies. ``state``: only those in it.

    Each connection is read by its own index up to the limit; one query for all would sort the whole inbox.
    """
    chosen = select(InboxEvent).options(defer(InboxEvent.body, raiseload=True))  # type: ignore[arg-type]
    chosen = chosen.order_by(col(InboxEvent.received_at).desc(), col(InboxEvent.id).desc()).limit(limit)
    if state:
        chosen = chosen.where(InboxEvent.state == state)
    if state in (*WAITING, "dead"):
        chosen = chosen.where(IS_UNFINISHED)
    found: list[InboxEvent] = []
    for connection_id in (await session.exec(select(StripeConnection.id))).all():
        found += (await session.exec(chosen.where(InboxEvent.connection_id == connection_id))).all()
    return sorted(found, key=lambda event: (event.received_at, event.id), reverse=True)[:limit]


@app.command()
def show(event_id: str) -> None:
    """One event: its state, what was wrong with it, and its body where that was kept."""

    async def run(resources: Resources) -> None:
        async with resources.database.read() as session:
            anywhere = col(InboxEvent.connection_id).in_(select(StripeConnection.id))  # for the key's index
            found = (await session.exec(select(InboxEvent).where(anywhere, InboxEvent.id == event_id))).all()
        if not found:
            typer.echo(f"There is no event {event_id} in the inbox.", err=True)
            raise typer.Exit(1)
        for event in found:
            typer.echo(f"{event.id}  {event.type}  {event.state}  attempts {event.attempts}  {event.error}")
            if event.body is not None:
                typer.echo(as_text(read_body(resources.vault, event)))

    run_with_resources(run)


def as_text(body: dict[str, Any]) -> str:
    """Return readable JSON; lone surrogates, which no terminal accepts, stay escaped."""
    return json.dumps(body, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


@app.command("replay")
def replay_events(
    event_ids: Annotated[list[str] | None, typer.Argument(help="Events to work in again.")] = None,
    state: Annotated[str, typer.Option(help="All of this state whose body was kept: dead, postponed, done.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All events whose body was kept.")] = False,
    after: Annotated[str, typer.Option(help="Go on behind this place, as an interrupted replay names it.")] = "",
) -> None:
    """Work events in again. What is already known does not change; a running worker does it at once."""
    if sum(map(bool, (event_ids, state, everything))) != 1:
        typer.echo("Name the events to replay, or say --state dead, or --all.", err=True)
        raise typer.Exit(2)
    _check(state)

    if not event_ids:
        run_with_resources(partial(_replay_kept, state, after))
        return

    async def run(resources: Resources) -> None:
        count, lacking = 0, list[str]()
        for first in range(0, len(event_ids), IDS_AT_ONCE):
            some = event_ids[first : first + IDS_AT_ONCE]
            async with resources.database.write() as session:
                count += await replay(session, some)
                lacking += await _without_body(session, some)
        typer.echo(f"{count} events will be worked in again.")
        if lacking:
            said = ", ".join(lacking)
            typer.echo(f"Not among them: {said} (not in the inbox, or its body was not kept).", err=True)
            raise typer.Exit(1)

    run_with_resources(run)


async def _replay_kept(state: str, after: str, resources: Resources) -> None:
    """In portions; where a person ends it, it says how to go on."""
    total, count, place = await replayable(resources, state=state, after=after), 0, after
    try:
        with bar("working in again") as progress:
            async for number, reached in replay_portions(resources, state=state, after=after):
                count, place = count + number, reached
                progress(count, max(total, count))
    except asyncio.CancelledError:
        way = f"--state {state}" if state else f"--all --after {place}" if place else "--all"
        typer.echo(f"Interrupted after {count} events. Go on with: kommo-stripe events replay {way}", err=True)
        raise
    typer.echo(f"{count} events will be worked in again.")


async def _without_body(session: AsyncSession, event_ids: Sequence[str]) -> list[str]:
    anywhere = col(InboxEvent.connection_id).in_(select(StripeConnection.id))  # for the key's index
    kept = select(InboxEvent.id).where(anywhere, col(InboxEvent.id).in_(event_ids), col(InboxEvent.body).is_not(None))
    known = set((await session.exec(kept)).all())
    return [one for one in event_ids if one not in known]


def _check(state: str) -> None:
    if state and state not in STATES:
        typer.echo(f"There is no state {state!r}; there are {', '.join(STATES)}.", err=True)
        raise typer.Exit(2)


@app.command("catch-up")
def catch_up_command(
    days: Annotated[int, typer.Option(min=1, max=30, help="How far back; Stripe shows thirty days.")] = 3,
) -> None:
    """Look in Stripe's own list for events that no webhook brought, and put them into the inbox.

    A running worker does so by itself every hour, from where it looked last.
    """
    from backend.inbox.backfill import catch_up

    async def run(resources: Resources) -> None:
        async with resources.database.read() as session:
            known = select(StripeConnection).where(col(StripeConnection.account_id).is_not(None))
            connections = (await session.exec(known.where(StripeConnection.api_key != ""))).all()
        failed = False
        for connection in connections:
            try:
                since = resources.clock() - days * 86400.0
                with bar(f"reading Stripe's list, account {connection.account_id}") as progress:
                    count = await catch_up(resources, connection, since, progress)
                said = f"{count} events that no webhook brought"
            except (Refused, Unreachable, CannotOpen) as error:
                failed, said = True, f"could not be asked: {error}"
            typer.echo(f"account {connection.account_id}, {'live' if connection.livemode else 'test'} mode: {said}")
        if not connections:
            typer.echo("No Stripe connection belongs to an account yet.")
        if failed:
            raise typer.Exit(1)

    run_with_resources(run, interrupted="What was found is stored. Run it again: it passes over that.")
