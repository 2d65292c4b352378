"""*Check now*: what Stripe knows of a payment whose webhook has not come."""

from datetime import datetime

from sandbox.stripe import Payer
from tests.world import World

DAY = 86400.0


async def _paid_at(shop: World) -> float:
    (payment,) = (await shop.rep.deal())["payments"]
    return datetime.fromisoformat(payment["paid_at"]).timestamp()


async def test_a_payment_that_is_found_days_later_was_paid_when_its_charge_was_made(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    paid_at = shop.clock()
    shop.stripe.advance(3 * DAY)
    await shop.rep.check()
    assert abs(await _paid_at(shop) - paid_at) < 60


async def test_a_bank_debit_was_not_paid_when_it_began(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    shop.stripe.advance(3 * DAY)
    shop.stripe.settle_payment(shop.checkout.session["payment_intent"], "succeeded")
    await shop.rep.check()
    assert abs(await _paid_at(shop) - shop.clock()) < 60


async def test_a_key_that_reads_no_charges_finds_the_payment_all_the_same(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    rights = ["rak_checkout_session_read", "rak_payment_intent_read"]
    await shop.stored.use_stripe_key(shop.stripe.default_account.add_restricted_key(rights))
    await shop.rep.check()
    assert (await shop.rep.deal())["state"] == "paid"
