"""Money that comes in and goes back."""

from sandbox.stripe import Payer
from tests.crash.acting import asks, pays, refunds
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Scenario
from tests.crash.scenarios.shop import all_show, deal, intent_of, linked, paid, pay_all, shows, uuid_of


async def _first_payment(play: Play) -> None:
    await pays(play, await asks(play, play.memory["deals"][0], uuid_of(0)))


async def _three_events_backwards(play: Play) -> None:
    """Each twice, the last first, one after another."""
    await pay_all(play)
    play.stripe.courier.copies, play.stripe.courier.at_once = 2, 1
    play.stripe.courier.release("reversed")


async def _all_at_once(play: Play) -> None:
    await pay_all(play)
    play.stripe.courier.release("shuffled")


async def _refund_in_the_dashboard(play: Play) -> None:
    play.stripe.refund(intent_of(play)["id"], 5000)


async def _allow_refunds(play: Play) -> None:
    url = f"{play.url}/admin/api/accounts/{play.kommo.account.id}/options"
    answer = await play.http.put(url, json={"refunds": "admins"}, headers=play.admin)
    assert answer.status_code == 200, answer.text


async def _refund_from_the_card(play: Play) -> None:
    await refunds(play, intent_of(play)["id"], uuid_of(1), "50.00")


def _one_refund(play: Play) -> None:
    assert [refund["amount"] for refund in play.shelf.objects["refund"].values()] == [5000]
    assert shows(play) == ("Partially refunded", "Paid")


async def _renewal(play: Play) -> None:
    play.stripe.renew_subscription(next(iter(play.shelf.objects["subscription"])))


async def _failed_renewal(play: Play) -> None:
    subscription = next(iter(play.shelf.objects["subscription"]))
    play.stripe.renew_subscription(subscription, "failed")
    await quiet(play)
    play.stripe.retry_renewal(subscription)


def _twice_paid_once_moved(play: Play) -> None:
    assert shows(play) == ("Paid", "Paid")
    assert len(play.shelf.objects["payment_intent"]) == 2


async def _dispute(play: Play) -> None:
    dispute = play.stripe.open_dispute(intent_of(play)["id"])
    await quiet(play)
    play.stripe.close_dispute(dispute["id"], "won")


def _task_done(play: Play) -> None:
    assert [task.is_completed for task in play.kommo.account.tasks.values()] == [True]
    assert shows(play) == ("Paid", "Paid")


async def _delayed(play: Play) -> None:
    await pays(play, play.memory["links"][0], Payer("delayed"))
    await quiet(play)
    play.stripe.settle_payment(intent_of(play)["id"])


async def _deposit_and_rest(play: Play) -> None:
    lead = play.memory["deals"][0]
    await pays(play, await asks(play, lead, uuid_of(0), "100.00", kind="deposit", deal_total="400.00"))
    await quiet(play)
    await pays(play, await asks(play, lead, uuid_of(1), "300.00", kind="rest"))


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
