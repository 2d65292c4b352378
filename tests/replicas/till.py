"""Reps who make links and clients who pay them, at several webs of one product."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import httpx

from sandbox.stripe.lives.foreign import Foreign
from tests.world import World

AGAIN_SECONDS = 0.1
PATIENCE_SECONDS = 600.0
MOST_UNDELIVERED = 100


class Refused(AssertionError):
    """An answer did not come, however often it was asked for."""


@dataclass
class Till:
    """``refused`` counts answers other than the one that was hoped for: by status, and errors of the line by name."""

    product: World
    webs: Sequence[str]
    http: httpx.AsyncClient
    random: Random
    reps: Sequence[int]
    """Kommo's user ids; each call is made by any of them."""
    refused: Counter[str] = field(default_factory=Counter)
    paid: dict[int, int] = field(default_factory=dict)
    """Deal → what was paid for it, in whole dollars."""
    links: int = 0

    async def sell(self, price: int) -> int:
        """A rep makes a link for a new deal, the client pays it and comes back; each at any web. The deal's id."""
        lead_id = self.product.lead()
        path = urlsplit(await self.ask(lead_id, price)).path
        checkout = await self._insist("GET", path, (303,))
        session_id = checkout.headers["location"].rpartition("/")[2].partition("#")[0]
        self.product.stripe.pay_session(session_id)
        self.paid[lead_id], self.links = price, self.links + 1
        await self._insist("GET", f"{path}/thanks", (200,))
        return lead_id

    async def hear(self, price: int) -> None:
        """A payment with a deal's marks that was made elsewhere: all that we see of it is Stripe's events."""
        product, lead_id = self.product, self.product.lead()
        marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
        product.stripe.foreign_payment(Foreign("intent", price * 100, "usd", marks), live=True)
        self.paid[lead_id] = price
        while product.stripe.courier.undelivered > MOST_UNDELIVERED:  # noqa: ASYNC110 (an answer wakes nobody here)
            await asyncio.sleep(AGAIN_SECONDS)

    async def ask(self, lead_id: int, price: int) -> str:
        """The address of the link of a new request."""
        order = self.product.rep.order(lead_id=lead_id, amount=f"{price}.00", currency="USD")
        answer = await self._insist("POST", "/widget/requests", (200, 201), order)
        url: str = answer.json()["url"]
        return url

    async def ask_and_cancel(self, lead_id: int, price: int) -> None:
        """A rep thinks better of it."""
        order = self.product.rep.order(lead_id=lead_id, amount=f"{price}.00", currency="USD")
        await self._insist("POST", "/widget/requests", (200, 201), order)
        await self._insist("POST", f"/widget/requests/{order['request_id']}/cancel", (200, 202), {})

    async def _insist(self, method: str, path: str, hoped: Sequence[int], body: object = None) -> httpx.Response:
        """The answer of any web, asked again and again as a person would."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    answer = await self._asked(method, path, body)
                    if answer is not None and answer.status_code in hoped:
                        return answer
                    await asyncio.sleep(AGAIN_SECONDS)
        except TimeoutError:
            raise Refused(f"{method} {path}: {self.refused}") from None

    async def _asked(self, method: str, path: str, body: object) -> httpx.Response | None:
        headers = self.product.token(self.random.choice(self.reps)) if method == "POST" else {}
        try:
            answer = await self.http.request(method, self.random.choice(self.webs) + path, json=body, headers=headers)
        except httpx.HTTPError as error:
            self.refused[type(error).__name__] += 1
            return None
        if answer.status_code >= 300 and answer.status_code != 303:
            self.refused[str(answer.status_code)] += 1
        return answer


async def crowd(sales: int, at_once: int, sell: Callable[[int], object]) -> None:
    """Calls ``sell`` with each number below ``sales``, for ``at_once`` clients at a time."""
    numbers = iter(range(sales))

    async def one() -> None:
        for number in numbers:
            await sell(number)  # type: ignore[misc]

    async with asyncio.TaskGroup() as clients:
        for _ in range(at_once):
            clients.create_task(one())
