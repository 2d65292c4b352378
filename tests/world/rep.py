"""The sales rep: what the widget in the deal card asks of the product."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.kommo import KommoWorld


@dataclass(frozen=True)
class Rep:
    """A user of the first account, by default its admin, at the first deal unless another is named."""

    kommo: KommoWorld
    client_id: str
    url: str
    http: httpx.AsyncClient

    def token(self, user_id: int | None = None) -> dict[str, str]:
        """The header that Kommo's page adds to the widget's calls."""
        return {"X-Auth-Token": self.kommo.one_time_token(self.client_id, user_id or self.kommo.account.admin.id)}

    def order(self, **more: Any) -> dict[str, Any]:
        """The body of a request: 120.00 EUR for the first deal, with a uuid of its own."""
        return {
            "request_id": str(uuid.uuid4()),
            "lead_id": self._first_deal,
            "amount": "120.00",
            "currency": "EUR",
            "description": "Website, first part",
            "mode": "payment",
            "kind": "full",
        } | more

    async def post(self, path: str, body: Any = None, *, user_id: int | None = None) -> httpx.Response:
        return await self.http.post(f"{self.url}{path}", json=body, headers=self.token(user_id))

    async def ask(self, **more: Any) -> httpx.Response:
        return await self.post("/widget/requests", self.order(**more))

    async def create(self, **more: Any) -> dict[str, Any]:
        """A request that was created."""
        answer = await patiently(lambda: self.ask(**more))
        assert answer.status_code == 201, answer.text
        request: dict[str, Any] = answer.json()
        return request

    async def deal(self, lead_id: int | None = None) -> dict[str, Any]:
        """What the widget is told of a deal."""
        path = f"{self.url}/widget/deals/{lead_id or self._first_deal}"
        answer = await patiently(lambda: self.http.get(path, headers=self.token()))
        assert answer.status_code == 200, answer.text
        deal: dict[str, Any] = answer.json()
        return deal

    async def check(self) -> None:
        """*Check now*: what Stripe knows is in the ledger afterwards."""
        answer = await patiently(lambda: self.post(f"/widget/deals/{self._first_deal}/check"))
        assert answer.status_code == 202, answer.text

    async def refund(self, payment: str, **more: Any) -> httpx.Response:
        body = {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"} | more
        return await self.post(f"/widget/payments/{payment}/refund", body)

    @property
    def _first_deal(self) -> int:
        return next(iter(self.kommo.account.leads))


async def patiently(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer, asked for again where the user had called too often; each refusal takes its time."""
    answer = await ask()
    for _ in range(20):
        if answer.status_code != 429:
            break
        answer = await ask()
    return answer
