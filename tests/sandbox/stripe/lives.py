"""Lives of payments, lived through without HTTP: together they make every event that this Stripe knows."""

from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.lives import sessions
from sandbox.stripe.lives.foreign import KINDS, Foreign
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import ObjectStore
from tests.sandbox.stripe.conftest import payment_params, subscription_params


def new_session(shelf: ObjectStore, params: Obj | None = None) -> Obj:
    return sessions.create(shelf, params or payment_params())


def everything(switches: dict[str, str] | None = None) -> StripeWorld:
    world = StripeWorld(lambda: 1_795_430_000.0, switches=switches, seed=1)
    shelf = world.default_account.shelves[False]
    _subscription(world, shelf)
    _one_time(world, shelf)
    _delayed(world, shelf)
    _refunds(world, shelf)
    _disputes(world, shelf)
    _invoicing(world)
    _foreign(world)
    return world


def _subscription(world: StripeWorld, shelf: ObjectStore) -> None:
    session = new_session(shelf, subscription_params())
    world.pay_session(session["id"], Payer(email="a@b.example", tax=190))
    world.renew_subscription(session["subscription"])
    world.renew_subscription(session["subscription"], "failed")
    world.retry_renewal(session["subscription"])
    world.cancel_subscription(session["subscription"])
    trial = subscription_params(subscription_data={"trial_period_days": 7})
    world.pay_session(new_session(shelf, trial)["id"])


def _one_time(world: StripeWorld, shelf: ObjectStore) -> None:
    session = new_session(shelf)
    world.pay_session(session["id"], Payer("declined"))
    world.pay_session(session["id"], Payer(presentment=(1090, "usd")))
    invoiced = payment_params(invoice_creation={"enabled": True, "invoice_data": {"metadata": {"kommo_lead_id": "1"}}})
    world.pay_session(new_session(shelf, invoiced)["id"])
    world.pay_session(new_session(shelf)["id"], Payer(discount=1000))
    sessions.expire(shelf, new_session(shelf, payment_params(after_expiration={"recovery": {"enabled": True}})))


def _delayed(world: StripeWorld, shelf: ObjectStore) -> None:
    for outcome in ("paid", "failed"):
        session = new_session(shelf)
        world.pay_session(session["id"], Payer("delayed"))
        world.settle_payment(session["payment_intent"], outcome)


def paid_intent(world: StripeWorld, shelf: ObjectStore) -> str:
    session = new_session(shelf)
    return str(world.pay_session(session["id"])["payment_intent"])


def _refunds(world: StripeWorld, shelf: ObjectStore) -> None:
    intent = paid_intent(world, shelf)
    world.refund(intent, 300)
    world.finish_refund(world.refund(intent, 200, "pending")["id"], "succeeded")
    world.refund(intent, outcome="failed")


def _disputes(world: StripeWorld, shelf: ObjectStore) -> None:
    for outcome in ("won", "lost"):
        for inquiry in (False, True):
            dispute = world.open_dispute(paid_intent(world, shelf), inquiry=inquiry)
            world.answer_dispute(dispute["id"])
            world.close_dispute(dispute["id"], outcome)


def _invoicing(world: StripeWorld) -> None:
    part = world.send_invoice(5000, "eur", {"kommo_lead_id": "9"})
    world.pay_invoice(part["id"], 2000)
    world.pay_invoice(part["id"], 4000)
    world.pay_invoice(world.send_invoice(700, "eur")["id"], outside=True)


def _foreign(world: StripeWorld) -> None:
    for kind in KINDS:
        world.foreign_payment(Foreign(kind, client_reference_id="99"))
