"""Webhook deliveries: seen, repeated, held back, let go in another order."""

from fastapi import APIRouter
from pydantic import BaseModel

from sandbox.stripe.delivery.courier import Order
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.served import World

router = APIRouter(prefix="/_sandbox")


class Settings(BaseModel):
    """What to change; see ``courier.Courier`` for the meaning of each."""

    held: bool | None = None
    pace: float | None = None
    copies: int | None = None
    skew: int | None = None
    at_once: int | None = None


class Release(BaseModel):
    order: Order = "created"


class Roll(BaseModel):
    keep_seconds: float = 86400


@router.get("/deliveries")
async def deliveries(world: World, since: int = 0) -> list[Obj]:
    """Oldest first; ``since`` skips that many."""
    return [delivery.shown() for delivery in world.courier.deliveries[since:]]


@router.post("/deliveries/settings")
async def settings(world: World, body: Settings) -> None:
    for name, value in body.model_dump(exclude_none=True).items():
        setattr(world.courier, name, value)


@router.post("/deliveries/hold")
async def hold(world: World) -> None:
    world.courier.held = True


@router.post("/deliveries/release")
async def release(world: World, body: Release) -> None:
    world.courier.release(body.order)


@router.post("/events/{id}/redeliver")
async def redeliver(world: World, id: str) -> list[Obj]:
    return [delivery.shown() for delivery in world.redeliver(id)]


@router.post("/webhook_endpoints/{id}/roll")
async def roll(world: World, id: str, body: Roll) -> dict[str, str]:
    return {"secret": world.roll_secret(id, body.keep_seconds)}
