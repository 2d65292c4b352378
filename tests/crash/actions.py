"""What people do: who meets a dead server tries again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from sandbox.stripe import Payer
from sandbox.stripe.objects.refusals import Refusal
from tests.crash.rig.killable import KillableWorld

T = TypeVar("T")
PATIENCE_SECONDS = 60.0
MOMENT_SECONDS = 5.0
"""By the clock that everybody reads."""


async def stubbornly(world: KillableWorld, attempt: Callable[[], Awaitable[T | None]]) -> T:
    """Until it brings something; what nobody answered is tried again at once, and after a 5xx in a moment."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            brought = await attempt()
            if brought is not None:
                return brought
            world.clock.advance(MOMENT_SECONDS)
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.02)
    raise TimeoutError(f"in vain for {PATIENCE_SECONDS:.0f} seconds: {attempt.__qualname__}")


def usable(answer: httpx.Response) -> bool:
    """False: try again. A definite no is a fault of the test or of the product."""
    if answer.status_code >= 500:
        return False
    assert answer.status_code < 400, f"{answer.request.url.path}: {answer.status_code} {answer.text}"
    return True


async def installs(world: KillableWorld) -> None:
    """An admin allows us on Kommo's page, once more where it did not come to a good end."""

    async def attempt() -> bool | None:
        begun = await world.http.get(f"{world.url}/oauth/kommo/start", headers=world.admin)
        if not usable(begun):
            return None
        agreed = await world.http.get(f"{begun.headers['location']}&auto=allow")
        done = await world.http.get(agreed.headers["location"])
        if done.status_code == 400 and "Start again" in done.text:  # the answer to the code was lost
            return None
        return True if usable(done) else None

    await stubbornly(world, attempt)


async def asks(world: KillableWorld, lead_id: int, request_id: str, amount: str = "120.00", **more: str) -> str:
    """The rep presses the button, again with the same uuid; the link."""
    order = {"request_id": request_id, "lead_id": lead_id, "amount": amount, "currency": "USD", "description": "Sofa"}
    body = world.rep.order(**order | more)

    async def attempt() -> str | None:
        answer = await world.http.post(f"{world.url}/widget/requests", json=body, headers=world.token())
        return str(answer.json()["url"]) if usable(answer) else None

    return await stubbornly(world, attempt)


async def opens(world: KillableWorld, link: str) -> str:
    """The client opens the link; the session's id."""

    async def attempt() -> str | None:
        answer = await world.http.get(link)
        if not usable(answer) or answer.status_code != 303:
            return None
        return answer.headers["location"].rpartition("/")[2].partition("#")[0]

    return await stubbornly(world, attempt)


async def pays(world: KillableWorld, link: str, payer: Payer | None = None) -> str:
    """A client opens the link and pays; a page that has expired meanwhile is opened anew."""

    async def attempt() -> str | None:
        session_id = await opens(world, link)
        try:
            world.stripe.pay_session(session_id, payer)
        except Refusal:
            return None
        return session_id

    return await stubbornly(world, attempt)


async def refunds(world: KillableWorld, payment_id: str, refund_id: str, amount: str) -> None:
    """The rep gives money back, again with the same uuid."""
    body = {"refund_id": refund_id, "amount": amount, "expected_refunded": "0.00"}
    await posts(world, f"/widget/payments/{payment_id}/refund", body)


async def posts(world: KillableWorld, path: str, body: object = None) -> None:
    """The widget sends it until it is taken."""

    async def attempt() -> bool | None:
        answer = await world.http.post(f"{world.url}{path}", json=body, headers=world.token())
        return True if usable(answer) else None

    await stubbornly(world, attempt)
