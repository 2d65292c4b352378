"""Whatever happens in whatever order, under whatever readings: the shapes stay Stripe's and the sums add up."""

from collections.abc import Callable
from random import Random

import pytest

from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.doubts.switches import SWITCHES
from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import FILES, differences, document
from tests.sandbox.stripe.conftest import payment_params, subscription_params
from tests.sandbox.stripe.lives import new_session

STEPS = 40


def live_through(seed: int) -> StripeWorld:
    """A life of random steps; a step that the state does not allow is refused and leaves things as they are."""
    dice = Random(seed)
    world = StripeWorld(
        lambda: 1_795_430_000.0, switches={n: dice.choice(s.readings) for n, s in SWITCHES.items()}, seed=seed
    )
    for _ in range(STEPS):
        try:
            dice.choice(_steps(world, dice))()
        except Refusal:
            continue
    return world


def _steps(world: StripeWorld, dice: Random) -> list[Callable[[], object]]:
    shelf = world.default_account.shelves[False]
    params = dice.choice([payment_params(), subscription_params(), payment_params(invoice_creation={"enabled": True})])

    def any_id(kind: str) -> str:
        return dice.choice(list(shelf.objects[kind]) or ["none"])

    payer = Payer(dice.choice(["paid", "paid", "declined", "delayed"]), discount=dice.choice([0, 0, 400, 1000]))
    return [
        lambda: new_session(shelf, params),
        lambda: world.pay_session(any_id("checkout.session"), payer),
        lambda: world.pay_session(any_id("checkout.session"), payer),
        lambda: world.settle_payment(any_id("payment_intent"), dice.choice(["paid", "failed"])),
        lambda: world.refund(
            any_id("payment_intent"), dice.choice([None, 1, 300]), dice.choice(["succeeded", "pending"])
        ),
        lambda: world.finish_refund(any_id("refund"), dice.choice(["succeeded", "failed", "canceled"])),
        lambda: world.open_dispute(any_id("payment_intent"), inquiry=dice.random() < 0.5),
        lambda: world.close_dispute(any_id("dispute"), dice.choice(["won", "lost"])),
        lambda: world.renew_subscription(any_id("subscription"), dice.choice(["paid", "failed"])),
        lambda: world.retry_renewal(any_id("subscription")),
        lambda: world.cancel_subscription(any_id("subscription")),
        lambda: world.pay_invoice(world.send_invoice(900, "eur")["id"], dice.choice([None, 400, 2000])),
    ]


@pytest.mark.parametrize("seed", range(12))
def test_every_event_keeps_its_shape(seed: int) -> None:
    for event in live_through(seed).events:
        for family in FILES:
            inner = event.snapshots[family]
            if inner["object"] in document(family)["objects"]:
                assert list(differences(inner, family)) == [], event.type


@pytest.mark.parametrize("seed", range(40))
def test_money_adds_up(seed: int) -> None:
    shelf = live_through(seed).default_account.shelves[False]
    for charge in shelf.newest("charge"):
        standing = [
            r["amount"]
            for r in shelf.newest("refund", charge=charge["id"])
            if r["status"] not in ("failed", "canceled")
        ]
        assert charge["amount_refunded"] == sum(standing) <= charge["amount"]
    for invoice in shelf.newest("invoice"):
        parts = [part["amount_paid"] for part in shelf.payments_of(invoice=invoice["id"]) if part["status"] == "paid"]
        assert invoice["amount_paid"] == sum(parts)
    for session in shelf.newest("checkout.session", payment_status="paid"):
        intent = shelf.find("payment_intent", session["payment_intent"] or "")
        if intent is not None:
            assert intent["amount_received"] == session["amount_total"]
