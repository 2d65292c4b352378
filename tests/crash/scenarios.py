"""The scenarios: what happens between Kommo, Stripe, the reps and their clients while something dies."""

from backend.sandbox.kommo.views import lead_in_full
from tests.crash.acting import asks, installs, pays
from tests.crash.play import Play
from tests.crash.scenario import Scenario


def status_of(play: Play, lead_id: int) -> tuple[str, str]:
    """(payment status, stage)"""
    deal = lead_in_full(play.kommo.account, play.kommo.account.leads[lead_id])
    return deal["fields"].get("STRIPE_PAYMENT_STATUS", ""), deal["status"]


async def _a_deal(play: Play) -> None:
    await installs(play)
    play.memory["deal"] = play.kommo.account.add_lead("Sofa").id


async def _first_payment(play: Play) -> None:
    await pays(play, await asks(play, play.memory["deal"], "6a2f41a3-c54c-4e8a-b0a5-0d4d4a6f1c01"))


def _is_paid(play: Play) -> None:
    assert status_of(play, play.memory["deal"]) == ("Paid", "Paid")


FIRST_PAYMENT = Scenario("first payment", _a_deal, _first_payment, _is_paid)

ALL = (FIRST_PAYMENT,)
