"""Money that comes in and goes back."""

from sandbox.stripe import Payer
from tests.crash.actions import asks, pays, refunds
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import all_show, deal, intent_of, linked, paid, pay_all, shows, uuid_of


async def _first_payment(world: KillableWorld) -> None:
    await pays(world, await asks(world, world.memory["deals"][0], uuid_of(0)))


async def _three_events_backwards(world: KillableWorld) -> None:
    """Each twice, the last first, one after another."""
    await pay_all(world)
    world.stripe.courier.copies, world.stripe.courier.at_once = 2, 1
    world.stripe.courier.release("reversed")


async def _all_at_once(world: KillableWorld) -> None:
    await pay_all(world)
    world.stripe.courier.release("shuffled")


async def _refund_in_the_dashboard(world: KillableWorld) -> None:
    world.stripe.refund(intent_of(world)["id"], 5000)


async def _allow_refunds(world: KillableWorld) -> None:
    url = f"{world.url}/admin/api/accounts/{world.kommo.account.id}/options"
    answer = await world.http.put(url, json={"refunds": "admins"}, headers=world.admin)
    assert answer.status_code == 200, answer.text


async def _refund_from_the_card(world: KillableWorld) -> None:
    await refunds(world, intent_of(world)["id"], uuid_of(1), "50.00")


def _one_refund(world: KillableWorld) -> None:
    assert [refund["amount"] for refund in world.shelf.objects["refund"].values()] == [5000]
    assert shows(world) == ("Partially refunded", "Paid")


async def _renewal(world: KillableWorld) -> None:
    world.stripe.renew_subscription(next(iter(world.shelf.objects["subscription"])))


async def _failed_renewal(world: KillableWorld) -> None:
    subscription = next(iter(world.shelf.objects["subscription"]))
    world.stripe.renew_subscription(subscription, "failed")
    await quiet(world)
    world.stripe.retry_renewal(subscription)


def _twice_paid_once_moved(world: KillableWorld) -> None:
    assert shows(world) == ("Paid", "Paid")
    assert len(world.shelf.objects["payment_intent"]) == 2


async def _dispute(world: KillableWorld) -> None:
    dispute = world.stripe.open_dispute(intent_of(world)["id"])
    await quiet(world)
    world.stripe.close_dispute(dispute["id"], "won")


def _task_done(world: KillableWorld) -> None:
    assert [task.is_completed for task in world.kommo.account.tasks.values()] == [True]
    assert shows(world) == ("Paid", "Paid")


async def _delayed(world: KillableWorld) -> None:
    await pays(world, world.memory["links"][0], Payer("delayed"))
    await quiet(world)
    world.stripe.settle_payment(intent_of(world)["id"])


async def _deposit_and_rest(world: KillableWorld) -> None:
    lead = world.memory["deals"][0]
    await pays(world, await asks(world, lead, uuid_of(0), "100.00", kind="deposit", deal_total="400.00"))
    await quiet(world)
    await pays(world, await asks(world, lead, uuid_of(1), "300.00", kind="rest"))


MONTHLY = {"mode": "subscription", "interval": "month"}

ALL = (
    Scenario("first payment", deal(), _first_payment, all_show("Paid", "Paid")),
    Scenario("three events of one payment", linked(), _three_events_backwards, all_show("Paid", "Paid")),
    Scenario("refund", paid(), _refund_in_the_dashboard, _one_refund),
    Scenario("refund from the card", paid(then=_allow_refunds), _refund_from_the_card, _one_refund),
    Scenario("batch of 20", linked(20), _all_at_once, all_show("Paid", "Paid")),
    Scenario("renewal", paid(MONTHLY), _renewal, _twice_paid_once_moved),
    Scenario("renewal that fails first", paid(MONTHLY), _failed_renewal, _task_done),
    Scenario("dispute", paid(), _dispute, _task_done),
    Scenario("delayed method", linked(), _delayed, all_show("Paid", "Paid")),
    Scenario("deposit and rest", deal(), _deposit_and_rest, all_show("Paid", "Paid")),
)
