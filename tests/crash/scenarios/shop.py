"""What most scenarios begin with, and what they look at in the end. A play remembers its ``deals`` and ``links``."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from sandbox.kommo.views import fields_of, lead_in_full
from sandbox.stripe.objects.schemas import Obj
from tests.crash.acting import asks, installs, pays
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import quiet
from tests.crash.scenario import Step

PLAIN: Mapping[str, str] = {}


def uuid_of(number: int) -> str:
    return f"6a2f41a3-c54c-4e8a-b0a5-{number:012d}"


def deal(count: int = 1) -> Step:
    """Installed, with deals that nobody has asked for money yet."""

    async def before(play: Play) -> None:
        await installs(play)
        play.memory["deals"] = [play.kommo.account.add_lead(f"Deal {n}").id for n in range(count)]

    return before


def linked(count: int = 1, wish: Mapping[str, str] = PLAIN) -> Step:
    """And a link for each."""

    async def before(play: Play) -> None:
        await deal(count)(play)
        leads = play.memory["deals"]
        play.memory["links"] = [await asks(play, lead, uuid_of(n), **wish) for n, lead in enumerate(leads)]
        await quiet(play)

    return before


def paid(wish: Mapping[str, str] = PLAIN, then: Step | None = None) -> Step:
    """And each is paid; ``then`` comes after that."""

    async def before(play: Play) -> None:
        await linked(1, wish)(play)
        for link in play.memory["links"]:
            await pays(play, link)
        await quiet(play)
        if then is not None:
            await then(play)

    return before


async def pay_all(play: Play) -> None:
    """All links are paid before Stripe tells any of it."""
    play.stripe.courier.held = True
    for link in play.memory["links"]:
        await pays(play, link)


def intent_of(play: Play, place: int = 0) -> Obj:
    return list(play.shelf.objects["payment_intent"].values())[place]


def shows(play: Play, place: int = 0) -> tuple[str, str]:
    """(payment status, stage) of a deal."""
    lead = play.kommo.account.leads[play.memory["deals"][place]]
    shown = lead_in_full(play.kommo.account, lead)
    return shown["fields"].get("STRIPE_PAYMENT_STATUS", ""), shown["status"]


def all_show(status: str, stage: str) -> Callable[[Play], None]:
    def seen(play: Play) -> None:
        for place, lead_id in enumerate(play.memory["deals"]):
            if not play.kommo.account.leads[lead_id].is_deleted:
                assert shows(play, place) == (status, stage)

    return seen


async def shows_what_the_ledger_says(play: Play, lead_id: int) -> None:
    """Kommo's card beside our widget's answer, which is the ledger's."""
    answer = await play.http.get(f"{play.url}/widget/deals/{lead_id}", headers=play.token())
    assert answer.status_code == 200, answer.text
    ledger = answer.json()
    if ledger["requests"]:
        shown = fields_of(play.kommo.account, play.kommo.account.leads[lead_id])
        paid = sum((Decimal(one["amount"]) for one in ledger["paid"]), Decimal(0))
        assert Decimal(str(shown["STRIPE_AMOUNT_PAID"])) == paid
        assert shown["STRIPE_PAYMENT_STATUS"].lower() == ledger["state"].replace("_", " ")
