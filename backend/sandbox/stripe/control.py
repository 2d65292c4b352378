"""The world's methods over HTTP, for the story, for tests and for other processes. JSON in, JSON out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

from backend.sandbox.stripe.checkout import Payer
from backend.sandbox.stripe.courier import Order
from backend.sandbox.stripe.faults import Fault
from backend.sandbox.stripe.schemas import VERSIONS, Obj
from backend.sandbox.stripe.switches import SWITCHES
from backend.sandbox.stripe.world import StripeWorld

router = APIRouter(prefix="/_sandbox")


def world_of(request: Request) -> StripeWorld:
    world: StripeWorld = request.app.state.world
    return world


World = Annotated[StripeWorld, Depends(world_of)]


class Outcome(BaseModel):
    outcome: str = "paid"


class Release(BaseModel):
    order: Order = "created"


class Courier(BaseModel):
    """What to change of the deliveries' settings; see ``courier.Courier``."""

    held: bool | None = None
    pace: float | None = None
    copies: int | None = None
    skew: int | None = None
    at_once: int | None = None


class Advance(BaseModel):
    seconds: float


@router.post("/sessions/{id}/pay")
async def pay(world: World, id: str, payer: Payer) -> Obj:
    return world.pay_session(id, payer)


@router.post("/sessions/{id}/start_paying")
async def start_paying(world: World, id: str) -> None:
    world.start_paying(id)


@router.post("/payments/{id}/settle")
async def settle(world: World, id: str, body: Outcome) -> Obj:
    return world.settle_payment(id, body.outcome)


@router.post("/subscriptions/{id}/renew")
async def renew(world: World, id: str, body: Outcome) -> Obj:
    return world.renew_subscription(id, body.outcome)


@router.post("/subscriptions/{id}/cancel")
async def cancel(world: World, id: str) -> Obj:
    return world.cancel_subscription(id)


@router.get("/requests")
async def requests(world: World, since: int = 0) -> list[Obj]:
    """Requests received, oldest first; ``since`` skips that many."""
    return [seen.shown() for seen in world.seen[since:]]


@router.get("/events")
async def events(world: World, since: int = 0) -> list[Obj]:
    return [event.shown(VERSIONS["pinned"], world.courier.pending(event)) for event in world.events[since:]]


@router.get("/objects/{id}")
async def one(world: World, id: str) -> Obj:
    return world.locate(id)[1]


@router.get("/deliveries")
async def deliveries(world: World, since: int = 0) -> list[Obj]:
    return [delivery.shown() for delivery in world.courier.deliveries[since:]]


@router.post("/events/{id}/redeliver")
async def redeliver(world: World, id: str) -> list[Obj]:
    return [delivery.shown() for delivery in world.redeliver(id)]


@router.post("/deliveries/settings")
async def settings(world: World, body: Courier) -> None:
    for name, value in body.model_dump(exclude_none=True).items():
        setattr(world.courier, name, value)


@router.post("/deliveries/release")
async def release(world: World, body: Release) -> None:
    world.courier.release(body.order)


@router.post("/faults")
async def order_fault(world: World, fault: Fault) -> None:
    try:
        world.faults.order(fault)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


@router.delete("/faults")
async def no_faults(world: World) -> None:
    world.faults.ordered.clear()


@router.get("/switches")
async def switches(world: World) -> dict[str, Any]:
    """Every switch with its readings (the first is believed), what it is about, and the reading played now."""
    chosen = world.ground.switches
    return {name: {"readings": s.readings, "about": s.about, "now": chosen[name]} for name, s in SWITCHES.items()}


@router.post("/switches")
async def turn(world: World, chosen: dict[str, str]) -> None:
    try:
        world.ground.switches.turn(chosen)
    except (KeyError, ValueError) as error:
        raise HTTPException(422, str(error)) from None


@router.get("/clock")
async def clock(world: World) -> dict[str, float]:
    return {"now": world.clock()}


@router.post("/clock")
async def advance(world: World, body: Advance) -> dict[str, float]:
    world.advance(body.seconds)
    return {"now": world.clock()}
