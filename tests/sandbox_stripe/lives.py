"""Lives of payments, lived through without HTTP: together they make every event that this Stripe knows."""

from backend.sandbox.stripe import Payer, StripeWorld, sessions
from backend.sandbox.stripe.schemas import Obj
from backend.sandbox.stripe.shelf import Shelf
from tests.sandbox_stripe.conftest import payment_params, subscription_params


def new_session(shelf: Shelf, params: Obj | None = None) -> Obj:
    return sessions.create(shelf, params or payment_params())


def everything() -> StripeWorld:
    world = StripeWorld(lambda: 1_795_430_000.0, seed=1)
    shelf = world.default_account.shelves[False]
    _subscription(world, shelf)
    _one_time(world, shelf)
    _delayed(world, shelf)
    return world


def _subscription(world: StripeWorld, shelf: Shelf) -> None:
    session = new_session(shelf, subscription_params())
    world.pay_session(session["id"], Payer(email="a@b.example", tax=190))
    world.renew_subscription(session["subscription"])
    world.renew_subscription(session["subscription"], "failed")
    world.cancel_subscription(session["subscription"])
    trial = subscription_params(subscription_data={"trial_period_days": 7})
    world.pay_session(new_session(shelf, trial)["id"])


def _one_time(world: StripeWorld, shelf: Shelf) -> None:
    session = new_session(shelf)
    world.pay_session(session["id"], Payer("declined"))
    world.pay_session(session["id"], Payer(presentment=(1090, "usd")))
    invoiced = payment_params(invoice_creation={"enabled": True, "invoice_data": {"metadata": {"kommo_lead_id": "1"}}})
    world.pay_session(new_session(shelf, invoiced)["id"])
    world.pay_session(new_session(shelf)["id"], Payer(discount=1000))
    sessions.expire(shelf, new_session(shelf, payment_params(after_expiration={"recovery": {"enabled": True}})))


def _delayed(world: StripeWorld, shelf: Shelf) -> None:
    for outcome in ("paid", "failed"):
        session = new_session(shelf)
        world.pay_session(session["id"], Payer("delayed"))
        world.settle_payment(session["payment_intent"], outcome)
