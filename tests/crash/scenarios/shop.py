"""What most scenarios begin with, and what they look at in the end. A world remembers its ``deals`` and ``links``."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.kommo.views import fields_of, lead_in_full
from sandbox.stripe.objects.schemas import Obj
from tests.crash.actions import asks, installs, pays, stubbornly, usable
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Step

PLAIN: Mapping[str, str] = {}


def uuid_of(number: int) -> str:
    return f"6a2f41a3-c54c-4e8a-b0a5-{number:012d}"


def deal(count: int = 1) -> Step:
    """Installed, with deals that nobody has asked for money yet."""

    async def before(world: KillableWorld) -> None:
        await installs(world)
        world.memory["deals"] = [world.kommo.account.add_lead(f"Deal {n}").id for n in range(count)]

    return before


async def ruled(world: KillableWorld, **rule: Any) -> str:
    """Installed, with a deal that has a contact and a price; the key of a rule with these values."""
    await deal(0)(world)
    account = world.kommo.account
    contact = account.add_contact("Ann", email="ann@example.com")
    world.memory["deals"] = [account.add_lead("Sofa", 120, contacts=[contact]).id]

    async def made() -> str | None:
        answer = await world.http.post(f"{world.url}/widget/rules", json=rule, headers=world.token())
        return str(answer.json()["key"]) if usable(answer) else None

    return await stubbornly(world, made)


def linked(count: int = 1, wish: Mapping[str, str] = PLAIN) -> Step:
    """And a link for each."""

    async def before(world: KillableWorld) -> None:
        await deal(count)(world)
        leads = world.memory["deals"]
        world.memory["links"] = [await asks(world, lead, uuid_of(n), **wish) for n, lead in enumerate(leads)]
        await quiet(world)

    return before


def paid(wish: Mapping[str, str] = PLAIN, then: Step | None = None) -> Step:
    """And each is paid; ``then`` comes after that."""

    async def before(world: KillableWorld) -> None:
        await linked(1, wish)(world)
        for link in world.memory["links"]:
            await pays(world, link)
        await quiet(world)
        if then is not None:
            await then(world)

    return before


async def pay_all(world: KillableWorld) -> None:
    """All links are paid before Stripe tells any of it."""
    world.stripe.courier.held = True
    for link in world.memory["links"]:
        await pays(world, link)


def intent_of(world: KillableWorld, place: int = 0) -> Obj:
    return list(world.shelf.objects["payment_intent"].values())[place]


def shows(world: KillableWorld, place: int = 0) -> tuple[str, str]:
    """(payment status, stage) of a deal."""
    lead = world.kommo.account.leads[world.memory["deals"][place]]
    shown = lead_in_full(world.kommo.account, lead)
    return shown["fields"].get("STRIPE_PAYMENT_STATUS", ""), shown["status"]


def all_show(status: str, stage: str) -> Callable[[KillableWorld], None]:
    def seen(world: KillableWorld) -> None:
        for place, lead_id in enumerate(world.memory["deals"]):
            if not world.kommo.account.leads[lead_id].is_deleted:
                assert shows(world, place) == (status, stage)

    return seen


async def shows_what_the_ledger_says(world: KillableWorld, lead_id: int) -> None:
    """Kommo's card beside our widget's answer, which is the ledger's."""
    answer = await world.http.get(f"{world.url}/widget/deals/{lead_id}", headers=world.token())
    assert answer.status_code == 200, answer.text
    ledger = answer.json()
    if ledger["requests"]:
        shown = fields_of(world.kommo.account, world.kommo.account.leads[lead_id])
        paid = sum((Decimal(one["amount"]) for one in ledger["paid"]), Decimal(0))
        assert Decimal(str(shown["STRIPE_AMOUNT_PAID"])) == paid
        assert shown["STRIPE_PAYMENT_STATUS"].lower() == ledger["state"].replace("_", " ")
