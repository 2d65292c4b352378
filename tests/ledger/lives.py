"""Lives of payments at the local Stripe, with our marks, seen as events of either family of versions."""

from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.lives import sessions
from sandbox.stripe.objects.schemas import VERSIONS, Family, Obj
from sandbox.stripe.objects.store import ObjectStore
from tests.ledger.events import ACCOUNT, LEAD, REQUEST
from tests.sandbox.stripe.conftest import payment_params, subscription_params

OTHER_LEAD = 815
SENT_TO_OLD = {"refund_created_on_legacy": "sent", "invoice_payment_paid_on_legacy": "sent"}


def marks(lead: int, request: str | None = None) -> dict[str, str]:
    known = {"kommo_account_id": str(ACCOUNT), "kommo_lead_id": str(lead)}
    return known | ({"kommo_request_id": request} if request else {})


def everything(switches: dict[str, str] | None = None) -> StripeWorld:
    """Every event that we react to happens to a payment of ours at least once."""
    world = StripeWorld(lambda: 1_795_430_000.0, switches=switches, seed=1)
    shelf = world.default_account.shelves[True]
    _asked_for(world, shelf)
    _delayed(world, shelf)
    _gone_back(world, shelf)
    _subscribed(world, shelf)
    _invoiced(world)
    return world


def asked(shelf: ObjectStore, lead: int = OTHER_LEAD, request: str | None = None) -> Obj:
    named = marks(lead, request)
    params = {"metadata": named, "client_reference_id": str(lead), "payment_intent_data": {"metadata": named}}
    return sessions.create(shelf, payment_params(**params))


def paid(world: StripeWorld, shelf: ObjectStore) -> str:
    return str(world.pay_session(asked(shelf)["id"])["payment_intent"])


def _asked_for(world: StripeWorld, shelf: ObjectStore) -> None:
    first = asked(shelf, LEAD, REQUEST)
    world.pay_session(first["id"], Payer("declined"))
    sessions.expire(shelf, first)
    world.pay_session(asked(shelf, LEAD, REQUEST)["id"], Payer(tax=190, presentment=(1090, "usd")))
    invoiced = payment_params(
        metadata=marks(LEAD), invoice_creation={"enabled": True, "invoice_data": {"metadata": marks(LEAD)}}
    )
    world.pay_session(sessions.create(shelf, invoiced)["id"])


def _delayed(world: StripeWorld, shelf: ObjectStore) -> None:
    for outcome in ("failed", "paid"):
        session = asked(shelf)
        world.pay_session(session["id"], Payer("delayed"))
        world.settle_payment(session["payment_intent"], outcome)


def _gone_back(world: StripeWorld, shelf: ObjectStore) -> None:
    payment = paid(world, shelf)
    world.refund(payment, 300)
    world.finish_refund(world.refund(payment, 200, "pending")["id"], "succeeded")
    world.refund(payment, 100, outcome="failed")
    for outcome in ("won", "lost"):
        dispute = world.open_dispute(paid(world, shelf))
        world.answer_dispute(dispute["id"])
        world.close_dispute(dispute["id"], outcome)


def _subscribed(world: StripeWorld, shelf: ObjectStore) -> None:
    params = subscription_params(metadata=marks(LEAD), subscription_data={"metadata": marks(LEAD)})
    session = sessions.create(shelf, params)
    world.pay_session(session["id"])
    world.add_invoice_item(session["subscription"], 250, marks(OTHER_LEAD))
    world.renew_subscription(session["subscription"])
    world.bill_subscription(session["subscription"], 150)
    world.renew_subscription(session["subscription"], "failed")
    world.retry_renewal(session["subscription"])
    world.cancel_subscription(session["subscription"])


def _invoiced(world: StripeWorld) -> None:
    in_parts = world.send_invoice(5000, "eur", marks(OTHER_LEAD), live=True)
    world.pay_invoice(in_parts["id"], 2000)
    world.pay_invoice(in_parts["id"], 3000)
    world.pay_invoice(world.send_invoice(700, "eur", marks(OTHER_LEAD), live=True)["id"], outside=True)
    for how in ("void", "uncollectible"):
        in_part = world.send_invoice(900, "eur", marks(OTHER_LEAD), live=True)
        world.pay_invoice(in_part["id"], 400)
        world.give_up_invoice(in_part["id"], how)


def seen(world: StripeWorld, family: Family) -> list[Obj]:
    """All events as an endpoint of that family's version gets them."""
    return [event.shown(VERSIONS[family], 0) for event in world.events]
