"""One tenant's rep, strangers and half-sent bodies together: the other tenant's payment comes to its card all the same.

The product is the real ``serve`` in a process of its own, at Kommo's rate as it is.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.records import User
from sandbox.kommo.views import lead_in_full
from sandbox.product import running_product
from sandbox.stage import Stage, connect, set_stage
from sandbox.stripe import Payer
from sandbox.stripe.objects.store import Endpoint
from tests.accounts.connecting import CALLBACK, installed, put
from tests.security.siege import CALLBACKS_A_SECOND, CONNECTIONS, Attack, HalfBody, under_way
from tests.world import ADMIN_TOKEN
from tests.world.rep import Rep
from tests.world.view import WorldView

PATIENCE_SECONDS = 60.0
MOST_MIB = 100
STRANGERS = "?"
"""In the place of a rep's letter: people without any right knock at every door."""


@dataclass(frozen=True)
class Siege:
    """How long, with how many half-sent bodies, and how long a payment may take."""

    seconds: float
    half_sent: int
    most_seconds: float


SAMPLE = Siege(seconds=4.0, half_sent=100, most_seconds=20.0)
WHOLE = Siege(seconds=30.0, half_sent=600, most_seconds=3.0)


@dataclass
class Besieged(WorldView):
    """``integration`` is the attacked tenant's; ``neighbour`` is the other one, with its own rep."""

    stage: Stage
    http: httpx.AsyncClient
    pid: int
    neighbour: KommoAccount
    their_integration: Integration

    def __init__(self, stage: Stage, http: httpx.AsyncClient, pid: int) -> None:
        self.stage, self.http, self.pid = stage, http, pid
        self.kommo, self.stripe, self.integration = stage.kommo, stage.stripe, stage.integration
        self.url = stage.backend_url

    @property
    def endpoints(self) -> Collection[Endpoint]:
        return self.stripe.default_account.shelves[True].endpoints.values()

    async def connect_neighbour(self) -> None:
        self.neighbour = self.kommo.add_account("globex")
        self.their_integration = await installed(self, self.neighbour)
        key = self.stripe.default_account.live_secret_key
        answer = await put(self, f"accounts/{self.neighbour.id}/stripe", {"api_key": key})
        assert answer.is_success, answer.text

    async def seconds_until_on_the_card(self) -> float:
        """From a client's payment to the other tenant until its deal says so and its rep sees it in the card."""
        lead_id, me = self.neighbour.add_lead("Sofa").id, self.neighbour.admin.id
        rep = Rep(self.kommo, self.their_integration.client_id, self.url, self.http)
        made = await rep.post("/widget/requests", rep.order(lead_id=lead_id), user_id=me)
        assert made.status_code == 201, made.text
        opened = await self.to_checkout(made.json()["url"])
        began = perf_counter()
        self.stripe.pay_session(opened.headers["location"].rpartition("/")[2].partition("#")[0], Payer())
        await until(lambda: self._status_of(lead_id) == "Paid")
        card = await self.http.get(f"{self.url}/widget/deals/{lead_id}", headers=rep.token(me))
        assert [one["amount"] for one in card.json()["paid"]], card.text
        return perf_counter() - began

    async def to_checkout(self, url: str) -> httpx.Response:
        """A page that says that the payment page is being opened asks again by itself."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (opened := await self.http.get(url)).status_code != 303:
                assert opened.headers["refresh"], opened.text
                await asyncio.sleep(0.5)
        return opened

    async def payments_during(self, seconds: float) -> list[float]:
        """One after the other; how long each took."""
        end = perf_counter() + seconds
        taken: list[float] = []
        await asyncio.sleep(seconds / 5)  # the attackers get going
        while not taken or perf_counter() < end:
            taken.append(await self.seconds_until_on_the_card())
            await asyncio.sleep(0.5)
        return taken

    def _status_of(self, lead_id: int) -> object:
        deal = lead_in_full(self.neighbour, self.neighbour.leads[lead_id])
        return deal["fields"].get("STRIPE_PAYMENT_STATUS")


@asynccontextmanager
async def besieged(database_url: str) -> AsyncIterator[Besieged]:
    """``serve`` between the two worlds, with two tenants; a first payment of the other one is on its card."""
    more = {"DATABASE_URL": database_url, "ADMIN_TOKEN": ADMIN_TOKEN}
    async with (
        set_stage(more=more) as stage,
        running_product(stage.settings, stage.folder) as process,
        httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as http,
    ):
        await connect(stage)
        made = Besieged(stage, http, process.pid)
        await made.connect_neighbour()
        await until(lambda: len(made.endpoints) == 2)
        await made.seconds_until_on_the_card()  # everything has been used once
        yield made


async def until(holds: Callable[[], object]) -> None:
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"did not come true within {PATIENCE_SECONDS:.0f} seconds")


def rep_with(besieged: Besieged, letter: str) -> User:
    number = len(besieged.account.users)
    rep = besieged.account.add_salesperson("Rep", f"rep{number}@shop.example")
    rep.leads.view = letter
    return rep


def attackers(here: Besieged, attack: Attack, letters: str, half_sent: int) -> Iterator[Coroutine[Any, Any, None]]:
    """A rep for each letter asks for a deal of somebody else's and for deals that don't exist; bodies are another's."""
    host = here.kommo.host_of(here.account)
    query = {"client_id": here.integration.client_id, "referer": host, "from_widget": "1"}
    yield attack.call_back(CALLBACK, query)
    for letter in letters.replace(STRANGERS, ""):
        cards = (f"/widget/deals/{here.first_deal.id + number % 9 * 1000}" for number in count())
        token = here.token(rep_with(here, letter).id)
        for _ in range(CONNECTIONS):
            yield attack.press(cards, token)
    if STRANGERS in letters:
        for _ in range(CONNECTIONS):
            yield attack.press(strange_paths(here), {"X-Auth-Token": "junk"})
    bodies = half_bodies(here, here.token(rep_with(here, "D").id))
    for number in range(half_sent):
        yield attack.send_half(bodies[number % len(bodies)])


def strange_paths(here: Besieged) -> Iterator[str]:
    """Doors where anybody may knock, each time with another guess."""
    forged = {"client_uuid": here.integration.client_id, "account_id": str(here.account.id), "signature": "0" * 64}
    for number in count():
        guess = f"a{number:015}"
        yield from (f"/p/{guess}", f"/d/{guess}", f"/p/{guess}/receipt/pi_1", f"/admin/enter/{guess}", "/readyz")
        yield from (f"/kommo/uninstall?{urlencode(forged)}", "/widget/deals/1", "/admin", "/metrics")


def half_bodies(here: Besieged, token: dict[str, str]) -> list[HalfBody]:
    """One for each kind of door, as large as the door takes; two of three at Stripe's."""
    at_stripes = [urlsplit(one.shown["url"]).path for one in here.endpoints]
    json = {"Content-Type": "application/json"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    stripes = [HalfBody(path, 990_000, json) for path in at_stripes]
    small = [HalfBody("/widget/requests", 60_000, json | token), HalfBody("/admin/login", 60_000, form)]
    return [*stripes, *stripes, HalfBody("/kommo/hooks/guess", 500_000, form), *small]


def resident_mib(pid: int, name: str) -> float:
    """``VmRSS``: memory that the process has now; ``VmHWM``: the most that it ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) / 1024


def crowding() -> float:
    """How many want each of this machine's processors at present: by so much everything here is slower."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.mark.parametrize(
    ("siege", "letters"),
    [
        pytest.param(SAMPLE, "DM", id="sample"),
        pytest.param(SAMPLE, STRANGERS, id="sample of strangers", marks=pytest.mark.full),
        pytest.param(WHOLE, "D", id="without rights", marks=pytest.mark.full),
        pytest.param(WHOLE, "M", id="own deals only", marks=pytest.mark.full),
        pytest.param(WHOLE, STRANGERS, id="strangers", marks=pytest.mark.full),
    ],
)
async def test_a_neighbours_payment_comes_to_its_card_and_memory_stays_bounded(
    database_url: str, siege: Siege, letters: str
) -> None:
    async with besieged(database_url) as here:
        attack, before, crowd = Attack(here.url), resident_mib(here.pid, "VmRSS"), crowding()
        async with under_way(*attackers(here, attack, letters, siege.half_sent)):
            taken = await here.payments_during(siege.seconds)
        crowd = max(crowd, crowding())
        grown = resident_mib(here.pid, "VmHWM") - before
        print(f"payments {[round(one, 2) for one in taken]} s, memory +{grown:.0f} MiB, crowd {crowd:.1f}, {attack}")
        assert max(taken) < siege.most_seconds * crowd
        assert grown < MOST_MIB
        assert_was_real(attack, siege)


def assert_was_real(attack: Attack, siege: Siege) -> None:
    """The attackers did what they are for, and were refused in words: nothing but a refusal came back."""
    assert attack.most_half_sent > siege.half_sent / 2  # some are refused before the last one comes
    assert attack.callbacks.total() > CALLBACKS_A_SECOND * siege.seconds / 4 / crowding()
    assert attack.callbacks.keys() <= {400, 503}
    assert attack.cards.total() > siege.seconds / crowding()
    assert attack.cards.keys() <= {200, 401, 403, 404, 429, 503}
