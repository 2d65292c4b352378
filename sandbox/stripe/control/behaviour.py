"""How this Stripe behaves: faults, switches, refunds to come, and its clock."""

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from sandbox.stripe.doubts.switches import SWITCHES
from sandbox.stripe.served import World
from sandbox.stripe.traffic.faults import Fault

router = APIRouter(prefix="/_sandbox")


class Advance(BaseModel):
    seconds: float


class NextRefund(BaseModel):
    outcome: str


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


@router.post("/next_refund")
async def next_refund(world: World, body: NextRefund) -> None:
    """How refunds asked for by API come out from now on."""
    world.next_refund = body.outcome


@router.get("/clock")
async def clock(world: World) -> dict[str, float]:
    return {"now": world.clock()}


@router.post("/clock")
async def advance(world: World, body: Advance) -> dict[str, float]:
    world.advance(body.seconds)
    return {"now": world.clock()}
