"""The main job as an account lives it: install, pay, lose a deal, refund, renew, uninstall, come back.

Small enough to be played in every reading of every doubtful point, and long enough that each of them is met.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from random import Random

from backend.storage.models import Account
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.kommo.hooks.hooks import disable
from sandbox.kommo.hooks.hooks import install as install_hook
from sandbox.kommo.switches import SWITCHES as KOMMO
from sandbox.stripe import StripeWorld
from sandbox.stripe.doubts.switches import SWITCHES as STRIPE
from tests.world import World, install, open_world

Readings = Mapping[str, str]
HALF_A_DAY_AND_MORE = 13 * 3600.0


def every_reading() -> list[tuple[str, str, str]]:
    """(world, switch, reading), without those that are believed anyway."""
    kommo = [("kommo", name, reading) for name, one in KOMMO.items() for reading in list(one.readings)[1:]]
    return kommo + [("stripe", name, reading) for name, one in STRIPE.items() for reading in one.readings[1:]]


def some_readings(seed: int) -> tuple[dict[str, str], dict[str, str]]:
    """A reading of each switch, by chance: Kommo's and Stripe's."""
    chance = Random(seed)
    kommo = {name: chance.choice(list(one.readings)) for name, one in KOMMO.items()}
    return kommo, {name: chance.choice(one.readings) for name, one in STRIPE.items()}


async def main_job(folder: Path, kommo: Readings, stripe: Readings) -> None:
    """Raises an ``AssertionError`` where a promise does not hold in this world."""
    clock = MovableClock()
    worlds = KommoWorld(clock, switches=kommo), StripeWorld(clock, switches=stripe)
    url = f"sqlite+aiosqlite:///{folder}/product.db"
    more = {"settle_seconds": 1.0}
    async with open_world(url, clock=clock, worlds=worlds, connected=False, more=more) as product:
        await _install(product)
        await _paid_once(product)
        await _a_deal_is_deleted(product)
        clock.advance(HALF_A_DAY_AND_MORE)
        await _refunded(product)
        await _renewed(product)
        await _gone_and_back(product)


async def _install(product: World) -> None:
    hook = await install_hook(product.kommo, product.integration.client_id)
    if hook is None or hook.status != 200:
        await install(product)
        return
    await product.until(lambda: product.stripe.default_account.shelves[True].endpoints)
    await product.quiet()


async def _paid_once(product: World) -> None:
    """Three currencies, and every event twice more."""
    for amount, currency, shown in (("120.00", "USD", 120), ("500", "JPY", 500), ("1.500", "KWD", 1.5)):
        lead_id = product.lead()
        await product.pay(await product.link(lead_id, amount, currency))
        await _written(product, lead_id, shown)
    for event in product.stripe.events:
        product.stripe.redeliver(event.id)
    await product.quiet()
    await _written(product, lead_id, shown)
    assert product.deal(lead_id)["status"] == "Paid"
    assert len(product.deal(lead_id)["moves"]) == 1


async def _a_deal_is_deleted(product: World) -> None:
    """Two deals are paid together, and one of them is gone."""
    stays, goes = product.lead("Stays"), product.lead("Goes")
    links = [await product.link(lead_id) for lead_id in (stays, goes)]
    await product.quiet()
    product.stripe.courier.held = True
    for link in links:
        await product.pay(link)
    product.kommo.person().delete_lead(goes)
    product.stripe.courier.held = False
    product.stripe.courier.release()
    await _written(product, stays, 120)
    unmatched = await product.http.get(f"{product.url}/admin/api/unmatched", headers=product.admin)
    assert len(unmatched.json()) == 1


async def _refunded(product: World) -> None:
    lead_id = await _paid(product)
    product.stripe.refund(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"], 2000)
    await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
    await product.until(lambda: len(product.notes(lead_id)) == 2)
    assert float(product.fields(lead_id)["STRIPE_REFUNDED"]) == 20


async def _renewed(product: World) -> None:
    lead_id = product.lead()
    await product.pay(await product.link(lead_id, mode="subscription", interval="month"))
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    product.stripe.renew_subscription(next(product.stripe.default_account.shelves[True].newest("subscription"))["id"])
    await product.until(lambda: len(product.notes(lead_id)) == 2)
    await product.quiet()
    assert float(product.fields(lead_id)["STRIPE_AMOUNT_PAID"]) == 240
    assert len(product.deal(lead_id)["moves"]) == 1


async def _gone_and_back(product: World) -> None:
    """Uninstalled between the link and the payment: the client pays all the same, and the money is written later."""
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    await disable(product.kommo, product.integration.client_id)
    await product.pay(link)
    for _ in range(100):
        if {row.state for row in await product.rows(Account)} != {"connected"}:
            break
        await asyncio.sleep(0.05)
    assert product.notes(lead_id) == []
    await _install(product)
    await _written(product, lead_id, 120)


async def _paid(product: World) -> int:
    lead_id = product.lead()
    await product.pay(await product.link(lead_id))
    await _written(product, lead_id, 120)
    return lead_id


async def _written(product: World, lead_id: int, amount: float) -> None:
    """The amount and one note, and nothing more comes."""
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid", 20)
    await product.until(lambda: product.notes(lead_id), 20)
    await product.quiet()
    assert float(product.fields(lead_id)["STRIPE_AMOUNT_PAID"]) == amount
    assert len(product.notes(lead_id)) == 1
