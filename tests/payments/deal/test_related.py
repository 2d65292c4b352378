"""Paid, but not on this deal: the card says on which."""

import uuid
from pathlib import Path

from backend.admin.attach import attach
from backend.storage.models import Account
from tests.world import World, open_world


async def test_a_payment_that_a_person_moved_is_told_on_the_deal_it_left(tmp_path: Path, anyio_backend: str) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/moved.db") as product:
        old, new = await product.paid_deal(), product.lead("The right one")
        payment = product.fields(old)["STRIPE_PAYMENT_INTENT"]
        await attach(product.resources, payment, {"account_id": product.account.id, "lead_id": new})
        deal = await product.http.get(f"{product.url}/widget/deals/{old}?lang=es", headers=product.token())
        said = deal.json()["explanation"]
        assert said.startswith(f"El pago que se mostraba aquí pertenece ahora al lead {new}. Crea uno nuevo")


async def test_the_same_clients_payment_of_another_deal_is_told_with_its_deal(shop: World) -> None:
    """Only where it may have been meant for this one: the same sum, paid after it was asked for here."""
    contact, other = 555, shop.kommo.account.add_lead("Other", 0).id
    shop.first_deal.contacts[contact] = False
    shop.kommo.account.leads[other].contacts = {contact: True, 556: False}
    await _paid(shop, other, contact, "120.00")
    shop.clock.advance(60)
    await shop.rep.create(contact_id=contact)
    assert "on deal" not in (await shop.rep.deal())["explanation"]
    await _paid(shop, other, contact, "99.00")
    await _paid(shop, other, 556, "120.00")
    assert "on deal" not in (await shop.rep.deal())["explanation"]
    await _paid(shop, other, contact, "120.00")
    assert f"paid 120.00 EUR on deal {other} on" in (await shop.rep.deal())["explanation"]


async def _paid(shop: World, lead_id: int, contact_id: int, amount: str) -> None:
    await shop.rep.create(request_id=str(uuid.uuid4()), lead_id=lead_id, contact_id=contact_id, amount=amount)
    shop.stripe.pay_session(shop.checkout.session["id"])
    assert (await shop.rep.post(f"/widget/deals/{lead_id}/check")).status_code == 202


async def test_a_disconnected_kommo_is_told(shop: World) -> None:
    await shop.rep.deal()  # what was seen before stays readable
    async with shop.resources.database.write() as session:
        (await session.get_one(Account, shop.kommo.account.id)).state = "reconnect"
    assert "Kommo is disconnected" in (await shop.rep.deal())["explanation"]
