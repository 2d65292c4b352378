"""Kommo and Stripe in a bad mood, deals that people remove, and webhooks that never come."""

import asyncio

from sqlmodel import select

from backend.storage.models import InboxEvent
from sandbox.stripe.traffic.faults import Fault
from tests.crash.actions import asks, pays
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import all_show, linked, pay_all, uuid_of


async def _one_is_deleted(world: KillableWorld) -> None:
    await pay_all(world)
    world.kommo.person().delete_lead(world.memory["deals"][2])
    world.stripe.courier.release("shuffled")


async def _two_links_for_one(world: KillableWorld) -> None:
    """Of two deals the first has a payment and one more link."""
    await linked(2)(world)
    await pays(world, world.memory["links"].pop(0))
    world.memory["links"].append(await asks(world, world.memory["deals"][0], uuid_of(7), "30.00"))
    await quiet(world)


async def _merged(world: KillableWorld) -> None:
    """A rep merges the two, and what was paid for either is told after that."""
    await pay_all(world)
    world.kommo.person().merge_leads(*reversed(world.memory["deals"]))
    world.stripe.courier.release("shuffled")


async def _storm(world: KillableWorld) -> None:
    world.kommo.faults.add("429_html", "/api/", times=4, every=2)
    world.kommo.faults.add("429_json", "/api/", times=2, skip=3, every=3)
    world.stripe.faults.order(Fault("rate_limit", count=2))
    await pay_all(world)
    world.stripe.courier.release("shuffled")


async def _outage(world: KillableWorld) -> None:
    """Stripe's events come while Kommo answers nothing of use."""
    world.kommo.faults.add("502_html", "/api/", times=5)
    world.kommo.faults.add("403_block", "/api/", times=1)
    await pay_all(world)
    world.stripe.courier.release("created")


async def _unheard(world: KillableWorld) -> None:
    """Somebody disables the endpoint, the clients pay, and hours pass."""
    await linked(2)(world)
    for endpoint in world.shelf.endpoints.values():
        endpoint.shown["status"] = "disabled"
    await pay_all(world)
    world.stripe.courier.release("created")
    world.clock.advance(3 * 3600.0)
    world.stripe.tick()


async def _listened(world: KillableWorld) -> None:
    """A product that starts looks at once for what it missed, and after its endpoint; nothing else tells that there is
    something to do."""
    for _ in range(2000):
        async with world.database.read() as session:
            heard = (await session.exec(select(InboxEvent.id))).first()
        if heard and all(endpoint.enabled for endpoint in world.shelf.endpoints.values()):
            return
        await asyncio.sleep(0.01)


ALL = (
    Scenario("deleted deal in a batch", linked(5), _one_is_deleted, all_show("Paid", "Paid")),
    Scenario("merged deals", _two_links_for_one, _merged, all_show("Paid", "Paid")),
    Scenario("429 storm", linked(3), _storm, all_show("Paid", "Paid")),
    Scenario("webhooks that never came", _unheard, _listened, all_show("Paid", "Paid")),
    Scenario("outage", linked(), _outage, all_show("Paid", "Paid")),
)
