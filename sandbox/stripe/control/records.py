"""What has happened: requests, events, objects, accounts."""

from fastapi import APIRouter
from pydantic import BaseModel

from sandbox.stripe.objects.accounts import Account
from sandbox.stripe.objects.schemas import VERSIONS, Obj
from sandbox.stripe.served import World

router = APIRouter(prefix="/_sandbox")


class NewAccount(BaseModel):
    """``keys``: text of a key → its permission slugs, null for all."""

    name: str
    keys: dict[str, list[str] | None] | None = None


@router.get("/requests")
async def requests(world: World, since: int = 0) -> list[Obj]:
    """Requests received, oldest first; ``since`` skips that many."""
    return [seen.shown() for seen in world.seen[since:]]


@router.get("/reads")
async def reads(world: World) -> dict[str, int]:
    """GET requests by account: Stripe grants 10,000 a month to a quiet one (docs/facts/stripe.md D)."""
    told = [seen.account for seen in world.seen if seen.method == "GET"]
    return {account: told.count(account) for account in world.accounts}


@router.get("/events")
async def events(world: World, since: int = 0) -> list[Obj]:
    return [event.shown(VERSIONS["pinned"], world.courier.pending(event)) for event in world.events[since:]]


@router.get("/objects/{id}")
async def one(world: World, id: str) -> Obj:
    return world.locate(id)[1]


@router.get("/accounts")
async def accounts(world: World) -> list[Obj]:
    return [_account(account) for account in world.accounts.values()]


@router.post("/accounts")
async def add_account(world: World, body: NewAccount) -> Obj:
    return _account(world.add_account(body.name, body.keys))


def _account(account: Account) -> Obj:
    keys = {
        text: sorted(key.permissions) if key.permissions is not None else None for text, key in account.keys.items()
    }
    return {"id": account.id, "name": account.name, "keys": keys}
